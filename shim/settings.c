/* SPDX-License-Identifier: MIT */
/* settings.c - the object's settings, from the one table of lib/config/config.def. */
#include "settings.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>

#include "lib/base/parse.h"
#include "linkmap.h"
#include "raw.h"
#include "symbols.h"

enum scope { REGISTRY, AGENT, SERVICE, SHIM };
enum { SECRET = 1 };

enum setting {
#define SETTING(id, ...) SETTING_##id,
#include "lib/config/config.def"
#undef SETTING
	SETTING_COUNT
};

static const struct variable {
	const char *name, *fallback, *preset;
	enum scope scope;
	int flags;
} variables[SETTING_COUNT] = {
#define SETTING(id, option, env, fallback, type, preset, min, max, scope, flags, help) \
	{env, fallback, preset, scope, flags},
#include "lib/config/config.def"
#undef SETTING
};

/* Variables of a host that an agent may need besides its settings. */
static const char *const inherited[] = {"TZ", "SSL_CERT_FILE", "SSL_CERT_DIR"};
#define INHERITED_LEN (sizeof(inherited) / sizeof(*inherited))

/* Places of the agent's file, seen from the object: the last for lib/x86_64-linux-gnu. */
static const char *const beside[] = {
	"etcd-registry",
	"../bin/etcd-registry",
	"../../bin/etcd-registry",
};
#define BESIDE_LEN (sizeof(beside) / sizeof(*beside))

/* Room for every value at its longest, its name included. */
#define STORAGE_LEN 24576

#define INHERITED_MAX 1024

enum progress { UNREAD, READING, INERT, ACTIVE };

/* Written once, by the call of settings_active() that finds UNREAD; constant afterwards. */
static _Atomic int progress;
static struct {
	char storage[STORAGE_LEN]; /* "NAME=value" strings */
	struct text text;
	const char *set[SETTING_COUNT]; /* into storage; NULL: not set */
	const char *agent_environment[SETTING_COUNT + INHERITED_LEN + 1];
	char agent_paths[BESIDE_LEN][SETTINGS_PATH_MAX];
	const char *agent_files[BESIDE_LEN + 2];
	uint32_t wait_ms, exit_timeout_ms;
	uint32_t inherited;
	bool want_udp, thread, valgrind, unit;
	const char *error;
} own;

static const char *keep(const char *name, const char *value)
{
	const char *kept = own.storage + own.text.len;

	text_puts(&own.text, name);
	text_puts(&own.text, "=");
	text_puts(&own.text, value);
	if (own.text.full) {
		own.error = "etcd-registry: the ETCD_REGISTRY_ settings are too long; nothing is "
			    "registered";
		return NULL;
	}
	own.text.len++;
	return kept;
}

static const char *value_of(enum setting id)
{
	return own.set[id] ? own.set[id] + strlen(variables[id].name) + 1 : variables[id].preset;
}

/* As lib/config/config.c has it: a variable that is set to nothing counts as not set. */
static const char *environment(const char *name)
{
	const char *value = name ? symbols_getenv(name) : NULL;

	return value && *value ? value : NULL;
}

static void copy_environment(void)
{
	size_t n = 0;

	own.text = (struct text)TEXT_OF(own.storage);
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const char *value = environment(variables[i].name);

		if (!value)
			value = environment(variables[i].fallback);
		if (value)
			own.set[i] = keep(variables[i].name, value);
		if (own.set[i] && (variables[i].scope == REGISTRY || variables[i].scope == AGENT))
			own.agent_environment[n++] = own.set[i];
	}
	for (size_t i = 0; i < INHERITED_LEN; i++) {
		const char *value = environment(inherited[i]);

		if (value)
			own.agent_environment[n++] = keep(inherited[i], value);
	}
}

static uint32_t duration_ms(enum setting id)
{
	const char *value = value_of(id);
	uint64_t ms;

	if (parse_duration_ms(value, strlen(value), &ms) && ms <= 60000)
		return (uint32_t)ms;
	if (!own.error)
		own.error = id == SETTING_wait_ms ? "etcd-registry: ETCD_REGISTRY_WAIT is not a "
						    "time up to 60s; nothing is registered"
						  : "etcd-registry: ETCD_REGISTRY_EXIT_TIMEOUT is "
						    "not a time up to 60s; nothing is registered";
	return 0;
}

static bool is_off(const char *flag)
{
	return text_equal(flag, "0") || text_equal(flag, "false");
}

/* As sd_listen_fds(3) has it. */
static uint32_t inherited_descriptors(void)
{
	const char *pid = environment("LISTEN_PID"), *fds = environment("LISTEN_FDS");
	uint64_t of, n;

	if (!pid || !fds || !parse_uint(pid, strlen(pid), 1, UINT32_MAX, &of) ||
	    !parse_uint(fds, strlen(fds), 1, INHERITED_MAX, &n))
		return 0;
	return of == raw_getpid() ? (uint32_t)n : 0;
}

static bool asks_for_udp(const char *names)
{
	for (; *names; names++)
		if (text_starts(names, "/udp"))
			return true;
	return false;
}

/*
 * The folder of the object, with its slash, made absolute: the host may change its working folder
 * later.
 */
static void object_folder(struct text *folder)
{
	const char *path = linkmap_own_path();
	char cwd[SETTINGS_PATH_MAX];

	if (!path)
		return;
	if (*path != '/') {
		if (raw(SYS_getcwd, raw_arg(cwd), sizeof(cwd)) <= 0)
			return;
		text_puts(folder, cwd);
		text_puts(folder, "/");
	}
	text_add(folder, path, (size_t)(text_basename(path) - path));
}

static const char *agent_beside(char *storage, const char *folder, const char *file)
{
	struct text path = {.s = storage, .cap = SETTINGS_PATH_MAX};

	text_puts(&path, folder);
	text_puts(&path, file);
	return path.full ? NULL : storage;
}

static void find_agent_files(void)
{
	char storage[SETTINGS_PATH_MAX] = "";
	struct text folder = TEXT_OF(storage);
	size_t n = 0;

	if (own.set[SETTING_agent_bin]) {
		own.agent_files[n] = value_of(SETTING_agent_bin);
		return;
	}
	object_folder(&folder);
	for (size_t i = 0; i < BESIDE_LEN && folder.len && !folder.full; i++) {
		const char *path = agent_beside(own.agent_paths[i], storage, beside[i]);

		if (path)
			own.agent_files[n++] = path;
	}
	own.agent_files[n] = BINDIR "/etcd-registry";
}

static bool program_matches(const char *pattern)
{
	char exe[SETTINGS_PATH_MAX];
	long len = raw(SYS_readlinkat, AT_FDCWD, raw_arg("/proc/self/exe"), raw_arg(exe),
		       sizeof(exe) - 1);

	if (len < 0)
		return false;
	exe[len] = '\0';
	return text_matches(pattern, text_basename(exe));
}

static bool switched_off(void)
{
	const char *disable = environment("ETCD_REGISTRY_DISABLE");
	const char *exe = environment("ETCD_REGISTRY_EXE");

	if (disable && !is_off(disable))
		return true;
	return symbols_secure() || (exe && !program_matches(exe));
}

/* The thread works in /, wherever the host stands. */
static void check_agent(void)
{
	const char *agent = value_of(SETTING_agent);

	if (*agent && *agent != '/' && *agent != '@')
		own.error = "etcd-registry: ETCD_REGISTRY_AGENT is neither an absolute path nor "
			    "@NAME; nothing is registered";
}

/* It names an object of its own in LD_PRELOAD. */
static bool is_under_valgrind(void)
{
	const char *preloaded = environment("LD_PRELOAD");

	return preloaded && text_matches("*/vgpreload_core*", preloaded);
}

static bool read_settings(void)
{
	if (!environment("ETCD_REGISTRY_NAME") || switched_off())
		return false;
	copy_environment();
	own.wait_ms = duration_ms(SETTING_wait_ms);
	own.exit_timeout_ms = duration_ms(SETTING_exit_timeout_ms);
	check_agent();
	own.inherited = inherited_descriptors();
	own.thread = !is_off(value_of(SETTING_thread));
	own.valgrind = is_under_valgrind();
	own.unit = environment("INVOCATION_ID") != NULL;
	own.want_udp = asks_for_udp(value_of(SETTING_name));
	find_agent_files();
	return true;
}

bool settings_active(void)
{
	int found = atomic_load_explicit(&progress, memory_order_acquire);

	if (found == UNREAD && atomic_compare_exchange_strong(&progress, &found, READING)) {
		found = read_settings() ? ACTIVE : INERT;
		atomic_store_explicit(&progress, found, memory_order_release);
	}
	return found == ACTIVE;
}

const char *settings_error(void)
{
	return own.error;
}

bool settings_want_udp(void)
{
	return own.want_udp;
}

bool settings_thread(void)
{
	return own.thread;
}

bool settings_thread_is_asked_for(void)
{
	return own.thread && own.set[SETTING_thread];
}

bool settings_valgrind(void)
{
	return own.valgrind;
}

bool settings_in_unit(void)
{
	return own.unit;
}

uint32_t settings_inherited(void)
{
	return own.inherited;
}

uint32_t settings_wait_ms(void)
{
	return own.wait_ms;
}

uint32_t settings_exit_timeout_ms(void)
{
	return own.exit_timeout_ms;
}

const char *settings_operator_agent(void)
{
	return value_of(SETTING_agent);
}

void settings_service_block(struct text *block)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (own.set[i] && variables[i].scope == SERVICE)
			text_add(block, own.set[i], strlen(own.set[i]) + 1);
}

char *const *settings_agent_environment(void)
{
	/* execve() does not write to it; its type is older than const */
	return (char *const *)(uintptr_t)own.agent_environment;
}

const char *const *settings_agent_files(void)
{
	return own.agent_files;
}

/*
 * FNV-1a of 64 bits (the parameters are those of the IETF draft draft-eastlake-fnv), twice with
 * different offsets: a name, not a secret. The agent's uid is what is trusted, and that is checked
 * on the connection.
 */
struct hash {
	uint64_t a, b;
};

static void hash_add(struct hash *h, const char *s, size_t len)
{
	const uint64_t prime = 0x100000001b3u;

	for (size_t i = 0; i < len; i++) {
		h->a = (h->a ^ (unsigned char)s[i]) * prime;
		h->b = (h->b ^ (unsigned char)s[i] ^ 0x55) * prime;
	}
}

static void hash_file(struct hash *h, const char *path)
{
	char part[1024] = "";
	int fd = (int)raw(SYS_openat, AT_FDCWD, raw_arg(path), O_RDONLY | O_CLOEXEC);
	long len;

	while (fd >= 0 && (len = raw(SYS_read, fd, raw_arg(part), sizeof(part))) > 0)
		hash_add(h, part, (size_t)len);
	raw_close(fd);
}

static void hash_namespaces(struct hash *h)
{
	static const char *const links[] = {
		"/proc/self/ns/net",  "/proc/self/ns/pid",    "/proc/self/ns/mnt",
		"/proc/self/ns/user", "/proc/self/ns/cgroup",
	};
	char target[64] = "";

	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		long len = raw(SYS_readlinkat, AT_FDCWD, raw_arg(links[i]), raw_arg(target),
			       sizeof(target));

		if (len > 0)
			hash_add(h, target, (size_t)len);
	}
}

/*
 * A value without the password in it: everything from the first colon behind the scheme up to the
 * at sign.
 */
static void hash_public(struct hash *h, enum setting id)
{
	const char *value = value_of(id), *end = value + strlen(value);
	const char *colon = NULL, *at = NULL;

	if (id == SETTING_password)
		return;
	for (const char *c = value; *c; c++) {
		if (text_starts(c, "://"))
			c += 2;
		else if (*c == ':' && !colon)
			colon = c;
		else if (*c == '@')
			at = c;
	}
	if (id == SETTING_user)
		at = end;
	if (!(variables[id].flags & SECRET) || !colon || !at || colon > at) {
		hash_add(h, value, (size_t)(end - value) + 1);
		return;
	}
	hash_add(h, value, (size_t)(colon - value));
	hash_add(h, at, (size_t)(end - at) + 1);
}

void settings_agent_name(struct text *name)
{
	struct hash h = {.a = 0xcbf29ce484222325u, .b = 0x6c62272e07bb0142u};
	uint32_t uid = (uint32_t)raw(SYS_geteuid);

	hash_namespaces(&h);
	hash_file(&h, "/proc/self/cgroup");
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (variables[i].scope == REGISTRY)
			hash_public(&h, (enum setting)i);
	text_puts(name, "etcd-registry/");
	text_uint(name, uid);
	text_puts(name, "/");
	text_hex(name, h.a);
	text_hex(name, h.b);
}
