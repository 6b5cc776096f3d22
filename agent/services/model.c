/* SPDX-License-Identifier: MIT */
/* Processes, sockets, and who holds which. */
#include "model.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"

int model_init(struct model *model)
{
	*model = (struct model){0};
	list_init(&model->processes);
	list_init(&model->socks);
	if (hashmap_init(&model->processes_by_id) < 0)
		return ETCDREG_E_NOMEM;
	if (hashmap_init(&model->socks_by_inode) < 0) {
		hashmap_release(&model->processes_by_id);
		return ETCDREG_E_NOMEM;
	}
	return 0;
}

void model_release(struct model *model)
{
	if (!model->socks_by_inode.buckets)
		return;
	LIST_FOR_EACH_SAFE (link, &model->processes)
		model_drop_process(model, LIST_ENTRY(link, struct process, in_model));
	LIST_FOR_EACH_SAFE (link, &model->socks)
		model_drop_sock(model, LIST_ENTRY(link, struct sock, in_model));
	hashmap_release(&model->processes_by_id);
	hashmap_release(&model->socks_by_inode);
}

struct process *model_add_process(struct model *model, uint64_t id, uid_t uid)
{
	struct process *process = calloc(1, sizeof(*process));

	if (!process)
		return NULL;
	process->id = id;
	process->uid = uid;
	process->exit.fd = -1;
	list_init(&process->holdings);
	list_append(&model->processes, &process->in_model);
	hashmap_add(&model->processes_by_id, &process->by_id, id);
	return process;
}

struct process *model_find_process(const struct model *model, uint64_t id, uid_t uid)
{
	struct hash_node *node = id ? hashmap_first(&model->processes_by_id, id) : NULL;

	for (; node; node = hashmap_next(node)) {
		struct process *process = HASH_ENTRY(node, struct process, by_id);

		if (process->state != PROCESS_DEAD &&
		    (uid == MODEL_ANY_UID || !process->announced || process->uid == uid))
			return process;
	}
	return NULL;
}

static void free_settings(struct process *process)
{
	names_release(&process->names);
	free(process->claims);
	free(process->host);
	free(process->protocol);
	free(process->meta);
}

int process_configure(struct process *process, struct names *names, const char *host,
		      const char *protocol, const char *meta)
{
	CLEANUP(free) struct claim *claims = calloc(names->len, sizeof(*claims));
	CLEANUP(free) char *new_host = strdup(host);
	CLEANUP(free) char *new_protocol = strdup(protocol);
	CLEANUP(free) char *new_meta = strdup(meta);

	if (!claims || !new_host || !new_protocol || !new_meta)
		return ETCDREG_E_NOMEM;
	free_settings(process);
	process->names = STEAL(*names);
	process->claims = STEAL(claims);
	process->host = STEAL(new_host);
	process->protocol = STEAL(new_protocol);
	process->meta = STEAL(new_meta);
	process->announced = true;
	return 0;
}

static void drop_holding(struct holding *holding)
{
	struct process *process = holding->process;

	for (size_t i = 0; i < process->names.len; i++)
		if (process->claims[i].lead == holding)
			process->claims[i].lead = NULL;
	process->holdings_len -= holding->announced;
	list_remove(&holding->of_process);
	list_remove(&holding->of_sock);
	free(holding->host);
	free(holding->host_error);
	free(holding);
}

void process_bury(struct process *process)
{
	process->state = PROCESS_DEAD;
	LIST_FOR_EACH_SAFE (link, &process->holdings) {
		struct holding *holding = LIST_ENTRY(link, struct holding, of_process);

		if (!holding->announced) {
			holding->sock->searched = false;
			drop_holding(holding);
		}
	}
}

bool process_is_idle(const struct process *process)
{
	return !process->client && list_empty(&process->holdings);
}

void model_drop_process(struct model *model, struct process *process)
{
	LIST_FOR_EACH_SAFE (link, &process->holdings)
		drop_holding(LIST_ENTRY(link, struct holding, of_process));
	list_remove(&process->in_model);
	hashmap_remove(&model->processes_by_id, &process->by_id);
	free_settings(process);
	free(process);
}

static struct sockdiag_socket entry_of(const struct wire_socket *id)
{
	return (struct sockdiag_socket){
		.inode = id->inode,
		.cookie = id->cookie,
		.port = id->port,
		.protocol = id->protocol,
	};
}

struct sock *model_find_sock(const struct model *model, const struct wire_socket *id)
{
	struct hash_node *node = hashmap_first(&model->socks_by_inode, id->inode);

	for (; node; node = hashmap_next(node)) {
		struct sock *sock = HASH_ENTRY(node, struct sock, by_inode);

		if (sock->id.cookie == id->cookie && sock->id.port == id->port)
			return sock;
	}
	return NULL;
}

static struct sock *add_sock(struct model *model, const struct wire_socket *id)
{
	struct sock *sock = calloc(1, sizeof(*sock));

	if (!sock)
		return NULL;
	sock->id = *id;
	list_init(&sock->holders);
	list_append(&model->socks, &sock->in_model);
	hashmap_add(&model->socks_by_inode, &sock->by_inode, id->inode);
	model->socks_len++;
	return sock;
}

static struct holding *find_holding(const struct process *process, const struct sock *sock)
{
	LIST_FOR_EACH (link, &process->holdings) {
		struct holding *holding = LIST_ENTRY(link, struct holding, of_process);

		if (holding->sock == sock)
			return holding;
	}
	return NULL;
}

bool model_holds(const struct model *model, const struct process *process,
		 const struct wire_socket *id)
{
	const struct sock *sock = model_find_sock(model, id);

	return sock && find_holding(process, sock) && memcmp(&sock->id, id, sizeof(*id)) == 0;
}

static struct holding *add_holding(struct process *process, struct sock *sock)
{
	struct holding *holding = calloc(1, sizeof(*holding));

	if (!holding)
		return NULL;
	holding->process = process;
	holding->sock = sock;
	list_append(&process->holdings, &holding->of_process);
	list_append(&sock->holders, &holding->of_sock);
	return holding;
}

int model_hold(struct model *model, struct process *process, const struct wire_socket *id,
	       bool announced, struct holding **ret)
{
	struct sock *sock = model_find_sock(model, id);
	struct holding *holding = sock ? find_holding(process, sock) : NULL;

	if (announced && (!holding || !holding->announced) &&
	    process->holdings_len >= MODEL_SOCKETS_MAX)
		return ETCDREG_E_INVALID;
	if (!sock)
		sock = add_sock(model, id);
	if (sock && !holding)
		holding = add_holding(process, sock);
	if (!holding) {
		if (sock && list_empty(&sock->holders))
			model_drop_sock(model, sock);
		return ETCDREG_E_NOMEM;
	}
	process->holdings_len += announced && !holding->announced;
	holding->announced |= announced;
	*ret = holding;
	return 0;
}

void model_drop_sock(struct model *model, struct sock *sock)
{
	LIST_FOR_EACH_SAFE (link, &sock->holders)
		drop_holding(LIST_ENTRY(link, struct holding, of_sock));
	list_remove(&sock->in_model);
	hashmap_remove(&model->socks_by_inode, &sock->by_inode);
	model->socks_len--;
	free(sock);
}

unsigned model_kind(const struct wire_socket *id)
{
	switch (id->protocol) {
	case IPPROTO_TCP:
		return SOCKDIAG_TCP;
	case IPPROTO_UDP:
		return SOCKDIAG_UDP;
	default:
		return SOCKDIAG_MPTCP;
	}
}

unsigned model_kinds(const struct model *model)
{
	unsigned kinds = 0;

	LIST_FOR_EACH (link, &model->socks)
		kinds |= model_kind(&LIST_ENTRY(link, struct sock, in_model)->id);
	return kinds;
}

size_t model_mark(struct model *model, const struct sockdiag_list *list)
{
	size_t missing = 0;

	LIST_FOR_EACH (link, &model->socks) {
		struct sock *sock = LIST_ENTRY(link, struct sock, in_model);
		struct sockdiag_socket entry = entry_of(&sock->id);

		sock->listed = sockdiag_list_has(list, &entry);
		missing += !sock->listed && !sock->foreign;
		sock->surveyed |= sock->listed;
		sock->foreign &= !sock->listed;
	}
	return missing;
}

static bool is_known(const struct model *model, const struct sockdiag_socket *entry)
{
	struct hash_node *node = hashmap_first(&model->socks_by_inode, entry->inode);

	for (; node; node = hashmap_next(node)) {
		struct sockdiag_socket known =
			entry_of(&HASH_ENTRY(node, struct sock, by_inode)->id);

		if (sockdiag_same(&known, entry))
			return true;
	}
	return false;
}

bool model_has_newcomer(const struct model *model, const struct sockdiag_list *list, unsigned port,
			unsigned protocol)
{
	for (size_t i = 0; i < list->len; i++) {
		const struct sockdiag_socket *entry = &list->entries[i];

		if (entry->port == port && entry->protocol == protocol && !is_known(model, entry))
			return true;
	}
	return false;
}

bool sock_is_held(const struct sock *sock)
{
	LIST_FOR_EACH (link, &sock->holders)
		if (LIST_ENTRY(link, struct holding, of_sock)->process->state != PROCESS_DEAD)
			return true;
	return false;
}

bool sock_listens(const struct sock *sock)
{
	return sock->listed || ((sock->foreign || !sock->surveyed) && sock_is_held(sock));
}

static bool has_runner(const struct sock *sock)
{
	LIST_FOR_EACH (link, &sock->holders)
		if (LIST_ENTRY(link, struct holding, of_sock)->process->state == PROCESS_RUNNING)
			return true;
	return false;
}

static bool is_orphan(const struct sock *sock)
{
	LIST_FOR_EACH (link, &sock->holders) {
		const struct holding *holding = LIST_ENTRY(link, struct holding, of_sock);

		if (holding->announced && holding->process->state != PROCESS_DEAD)
			return false;
	}
	return true;
}

void model_judge(struct model *model, uint64_t now_ms)
{
	LIST_FOR_EACH (link, &model->socks) {
		struct sock *sock = LIST_ENTRY(link, struct sock, in_model);

		sock->serves = sock_listens(sock) && (has_runner(sock) || !sock_is_held(sock));
		if (!is_orphan(sock))
			sock->orphan_since_ms = 0;
		else if (sock->orphan_since_ms == 0)
			sock->orphan_since_ms = now_ms;
	}
}
