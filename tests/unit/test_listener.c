/* SPDX-License-Identifier: MIT */
/* The agent's own socket: it takes a name, and leaves a name that somebody else holds alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/clients/listener.h"
#include "agent/clients/owner.h"

struct folder {
	char path[64], name[96];
};

static const struct listener_file no_file;

static int bind_to(const char *name, mode_t mode, int *ret_fd, struct etcdreg_err *err)
{
	const struct listener_options options = {name, mode, {OWNER_SAME_UID, OWNER_SAME_GID}};
	struct listener_file file;

	return listener_bind(&options, ret_fd, &file, err);
}

static int set_up(void **state)
{
	struct folder *folder = calloc(1, sizeof(*folder));

	*state = folder;
	if (!folder)
		return -1;
	strcpy(folder->path, "/tmp/test-listener-XXXXXX");
	if (!mkdtemp(folder->path))
		return -1;
	(void)snprintf(folder->name, sizeof(folder->name), "%s/agent.sock", folder->path);
	return 0;
}

static int tear_down(void **state)
{
	struct folder *folder = *state;

	(void)unlink(folder->name);
	(void)rmdir(folder->path);
	free(folder);
	return 0;
}

static void a_path_has_its_mode_and_goes(void **state)
{
	struct folder *folder = *state;
	struct stat st;
	int fd = -1;

	assert_int_equal(bind_to(folder->name, 0622, &fd, NULL), 0);
	assert_int_equal(listener_check(fd, NULL), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(stat(folder->name, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0622);
	close(fd);
	listener_remove(folder->name, &no_file);
	assert_int_equal(access(folder->name, F_OK), -1);
}

static void an_owner_is_a_user_and_maybe_a_group(void **state)
{
	struct owner owner = {0};
	struct etcdreg_err err;

	(void)state;
	assert_int_equal(owner_parse("root", &owner, NULL), 0);
	assert_int_equal(owner.uid, 0);
	assert_int_equal(owner.gid, OWNER_SAME_GID);
	assert_int_equal(owner_parse("4711:root", &owner, NULL), 0);
	assert_int_equal(owner.uid, 4711);
	assert_int_equal(owner.gid, 0);
	for (const char *const *bad =
		     (const char *[]){"", ":", "root:", ":root", "no such one", "root:no such one",
				      "-1", "4294967295", "root:4294967295", NULL};
	     *bad; bad++)
		assert_int_equal(owner_parse(*bad, &owner, &err), ETCDREG_E_CONFIG);
	assert_int_equal(owner.uid, 4711);
}

static void a_path_has_its_owner(void **state)
{
	struct folder *folder = *state;
	const struct listener_options options = {folder->name, 0660, {4711, 4712}};
	struct listener_file file;
	struct stat st;
	int fd = -1;

	if (geteuid() != 0)
		skip();
	assert_int_equal(listener_bind(&options, &fd, &file, NULL), 0);
	assert_int_equal(stat(folder->name, &st), 0);
	assert_int_equal(st.st_uid, 4711);
	assert_int_equal(st.st_gid, 4712);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_int_equal(file.inode, st.st_ino);
	close(fd);
	listener_remove(folder->name, &file);
	assert_int_equal(access(folder->name, F_OK), -1);
}

static void who_listens_is_left_alone(void **state)
{
	struct folder *folder = *state;
	struct etcdreg_err err;
	int fd = -1, second = -1;

	assert_int_equal(bind_to(folder->name, 0600, &fd, NULL), 0);
	assert_int_equal(bind_to(folder->name, 0600, &second, &err), ETCDREG_E_SYSTEM);
	assert_non_null(strstr(err.msg, folder->name));
	assert_non_null(strstr(err.msg, "the name is in use"));
	assert_int_equal(second, -1);
	listener_remove(folder->name, &no_file);
	assert_int_equal(access(folder->name, F_OK), 0);
	close(fd);
}

static void a_left_over_is_replaced(void **state)
{
	struct folder *folder = *state;
	int fd = -1;

	assert_int_equal(bind_to(folder->name, 0600, &fd, NULL), 0);
	close(fd);
	assert_int_equal(bind_to(folder->name, 0600, &fd, NULL), 0);
	close(fd);
}

static void a_file_is_no_left_over(void **state)
{
	struct folder *folder = *state;
	int fd = open(folder->name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	close(fd);
	assert_int_equal(bind_to(folder->name, 0600, &fd, NULL), ETCDREG_E_SYSTEM);
	listener_remove(folder->name, &no_file);
	assert_int_equal(access(folder->name, F_OK), 0);
}

static void an_abstract_name_is_taken_once(void **state)
{
	char name[64];
	int fd = -1, second = -1;

	(void)state;
	(void)snprintf(name, sizeof(name), "@test-listener-%d", (int)getpid());
	assert_int_equal(bind_to(name, 0600, &fd, NULL), 0);
	assert_int_equal(bind_to(name, 0600, &second, NULL), ETCDREG_E_SYSTEM);
	close(fd);
}

static void names_are_checked(void **state)
{
	char longest[200];
	struct etcdreg_err err;
	int fd = -1;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(bind_to("", 0600, &fd, &err), ETCDREG_E_CONFIG);
	assert_int_equal(bind_to("@", 0600, &fd, &err), ETCDREG_E_CONFIG);
	assert_int_equal(bind_to("agent.sock", 0600, &fd, &err), ETCDREG_E_CONFIG);
	assert_non_null(strstr(err.msg, "'agent.sock'"));
	assert_int_equal(bind_to(longest, 0600, &fd, &err), ETCDREG_E_CONFIG);
	assert_int_equal(fd, -1);
}

static void a_descriptor_is_checked(void **state)
{
	int stream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int not_listening = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(listener_check(-1, NULL), ETCDREG_E_CONFIG);
	assert_int_equal(listener_check(stream, NULL), ETCDREG_E_CONFIG);
	assert_int_equal(listener_check(not_listening, NULL), ETCDREG_E_CONFIG);
	close(stream);
	close(not_listening);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_owner_is_a_user_and_maybe_a_group),
		TEST(a_path_has_its_owner),
		TEST(a_path_has_its_mode_and_goes),
		TEST(who_listens_is_left_alone),
		TEST(a_left_over_is_replaced),
		TEST(a_file_is_no_left_over),
		TEST(an_abstract_name_is_taken_once),
		TEST(names_are_checked),
		TEST(a_descriptor_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
