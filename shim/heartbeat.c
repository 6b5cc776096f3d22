/* SPDX-License-Identifier: MIT */
/* heartbeat.c - the thread between the host's hooks and the agent. */
#include "heartbeat.h"

#include <asm-generic/errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "channel.h"
#include "forgotten.h"
#include "futex.h"
#include "isolate.h"
#include "linger.h"
#include "raw.h"
#include "say.h"
#include "settings.h"
#include "sockets.h"
#include "spawn.h"
#include "symbols.h"
#include "thread.h"
#include "threadless.h"

#define TICK_MS 1000 /* how often the thread looks around when nothing happens */
#define STDERR_KEPT_MS 5000
#define FORK_WAIT_MS 200      /* longest wait of a fork for the agent to be told */
#define PATIENCE_MS 500       /* with an agent that lets nobody connect, before another is had */
#define PATIENCE_FORKED_MS 50 /* ... while a fork may be waiting */
#define APART_WAIT_MS 200     /* longest wait of the first listen() for the thread's own folders */
#define RETRY_FIRST_MS 1
#define RETRY_MOST_MS 32000
#define RETRY_SAID_MS 1000 /* so long without an agent: the host's operator is told */
#define LOOK_FIRST_MS 1    /* looking for an answer: soon, then less and less often */
#define LOOK_MOST_MS 50    /* ... while somebody may be waiting; TICK_MS after that */

enum phase { ABSENT, STARTING, RUNNING, OVER, THREADLESS };

/* Shared with the host's threads; each is written by what its comment says. */
static FORGOTTEN_FIRST _Atomic int phase; /* creator: STARTING; thread: RUNNING; both: the rest */
/* futex; 1: a chroot() of the host leaves the thread alone */
static FORGOTTEN _Atomic uint32_t apart;
static FORGOTTEN _Atomic uint32_t bell; /* futex; counts the reasons to wake up */
static FORGOTTEN _Atomic bool leaving;  /* the host is in exit() */
static FORGOTTEN _Atomic uint32_t left; /* futex; 1: goodbye is said */
static FORGOTTEN _Atomic bool forked;   /* the host has forked since it listened */
static FORGOTTEN _Atomic bool stuck;    /* no agent can be reached */
static _Atomic uint32_t settled;        /* futex; counts the outcomes */
static _Atomic uint32_t announced;      /* futex; counts what a fork may wait for */
static _Atomic uint32_t leave_ms;       /* how long the goodbye may take */

static struct symbols_threads libc; /* written by the creator before the thread starts */
static sigset_t host_mask;          /* likewise */

/* The thread's own. */
struct life {
	int channel; /* -1: none */
	bool stderr_open;
	bool welcome; /* the agent at the other end has answered */
	uint64_t born_ms;
	uint64_t beat_ms;  /* when the next is due */
	uint64_t tick_ms;  /* when to look around again */
	uint64_t retry_ms; /* when to try the agent again */
	uint32_t retry_wait_ms;
	uint32_t interval_ms;
	uint32_t look_wait_ms; /* 0: nothing is awaited */
	int error;             /* of the latest attempt */
};

static bool alive(void)
{
	int now = atomic_load(&phase);

	return now == STARTING || now == RUNNING;
}

/* Sets a futex that is 0 until then. */
static void tell(_Atomic uint32_t *futex)
{
	atomic_store(futex, 1);
	futex_wake(futex);
}

static void wait_until_told(_Atomic uint32_t *futex, uint32_t timeout_ms)
{
	uint64_t deadline = now_ms() + timeout_ms, now;

	while (!atomic_load(futex) && alive() && (now = now_ms()) < deadline)
		futex_wait(futex, 0, deadline - now);
}

static void announce_to_waiters(void)
{
	atomic_fetch_add(&settled, 1);
	futex_wake(&settled);
}

/* All sockets are with the agent, or it is known that they will not be soon. */
static void announce_to_forks(void)
{
	atomic_fetch_add(&announced, 1);
	futex_wake(&announced);
}

static void let_go_of_stderr(struct life *me)
{
	if (me->stderr_open)
		raw_close(2);
	me->stderr_open = false;
}

static void complain(struct life *me, const char *line)
{
	if (me->stderr_open)
		say_once(line);
	let_go_of_stderr(me);
}

static void disconnect(struct life *me)
{
	raw_close(me->channel);
	me->channel = -1;
	me->welcome = false;
	me->look_wait_ms = 0;
	sockets_announce_again();
}

/*
 * Soon at first, because agents start, end and are killed; then less and less often, because this
 * one is not to be had.
 */
static void retry_later(struct life *me)
{
	uint32_t wait_ms = me->retry_wait_ms ? me->retry_wait_ms : RETRY_FIRST_MS;

	me->retry_ms = now_ms() + wait_ms;
	me->retry_wait_ms = wait_ms * 2 < RETRY_MOST_MS ? wait_ms * 2 : RETRY_MOST_MS;
}

static void explain(struct life *me)
{
	if (me->stderr_open)
		channel_complain(me->error);
	let_go_of_stderr(me);
}

static void lost(struct life *me, int error)
{
	me->error = error;
	if (error != -EAGAIN) {
		atomic_store(&stuck, true);
		announce_to_forks();
	}
	if (me->channel >= 0)
		disconnect(me);
	retry_later(me);
	if (error == -ENOENT || me->retry_wait_ms >= RETRY_SAID_MS)
		explain(me);
}

static void connect_to_agent(struct life *me)
{
	int fd = channel_open(atomic_load(&forked) ? PATIENCE_FORKED_MS : PATIENCE_MS);
	int rc;

	if (fd < 0) {
		lost(me, fd);
		return;
	}
	me->channel = fd;
	rc = channel_send_hello(fd);
	if (rc < 0) {
		lost(me, rc);
		return;
	}
	atomic_store(&stuck, false);
	me->beat_ms = now_ms() + me->interval_ms;
	me->look_wait_ms = LOOK_FIRST_MS;
}

/*
 * A message that cannot be sent is tried again at the next look.  Whether the agent has gone is for
 * receive() to find, behind what it said last.
 */
static void announce_sockets(struct life *me)
{
	struct wire_socket socket;
	bool sent = false;
	int rc = 0;

	while (rc == 0 && sockets_next(&socket)) {
		rc = channel_send_listen(me->channel, &socket);
		if (rc == 0)
			sockets_sent();
		me->look_wait_ms = LOOK_FIRST_MS;
		sent = true;
	}
	if (rc < 0)
		sockets_announce_again();
	else if (sent)
		announce_to_forks();
}

static void beat(struct life *me)
{
	uint64_t now = now_ms();

	if (now < me->beat_ms)
		return;
	me->beat_ms = now + me->interval_ms;
	(void)channel_send_beat(me->channel);
}

static void outcome(struct life *me, const struct channel_message *m)
{
	if (m->what == WIRE_FAILED)
		complain(me, m->text);
	if (m->what == WIRE_REGISTERED)
		let_go_of_stderr(me);
	sockets_settle(m->cookie, m->inode, m->what == WIRE_GONE);
	announce_to_waiters();
}

/* True: refused for good. */
static bool receive(struct life *me)
{
	struct channel_message m;
	int rc;

	while ((rc = channel_receive(me->channel, &m)) > 0) {
		if (m.type == WIRE_REFUSED) {
			complain(me, m.text);
			return true;
		}
		if (m.type == WIRE_WELCOME && m.interval_ms) {
			me->welcome = true;
			me->retry_wait_ms = 0;
			me->interval_ms = m.interval_ms;
			me->beat_ms = now_ms() + m.interval_ms;
		}
		if (m.type == WIRE_OUTCOME)
			outcome(me, &m);
	}
	if (rc < 0)
		lost(me, -EPIPE);
	return false;
}

/*
 * Nothing may be received while the agent's answer to BYE is awaited but that answer; the rest is
 * moot.
 */
static void say_goodbye(struct life *me)
{
	uint64_t deadline = now_ms() + atomic_load(&leave_ms), now;
	struct channel_message m = {0};
	int rc;

	if (me->channel < 0)
		return;
	rc = channel_send_bye(me->channel, atomic_load(&forked));
	while (rc >= 0 && m.type != WIRE_LEFT && m.type != WIRE_REFUSED &&
	       (now = now_ms()) < deadline) {
		channel_poll(me->channel, (uint32_t)(deadline - now));
		rc = channel_receive(me->channel, &m);
	}
}

/*
 * The process ends, and nothing may end before it does: a thread that returns would free memory of
 * the host's libc.
 */
static void park(void)
{
	for (;;)
		sleep_ms(UINT32_MAX);
}

/* Every second.  True: the host's last thread has ended, and so must this one. */
static bool look_around(struct life *me)
{
	uint64_t now = now_ms();

	if (now < me->tick_ms)
		return false;
	me->tick_ms = now + TICK_MS;
	if (now - me->born_ms >= STDERR_KEPT_MS)
		let_go_of_stderr(me);
	spawn_reap();
	return linger_is_last();
}

/* An agent ends when nothing listens any more, and is not started again before something does. */
static bool wants_agent(const struct life *me)
{
	return me->channel < 0 && sockets_any();
}

static uint64_t time_to_sleep_ms(struct life *me)
{
	uint64_t now = now_ms(), until = me->tick_ms;

	if (wants_agent(me) && me->retry_ms < until)
		until = me->retry_ms;
	if (me->channel >= 0 && me->beat_ms < until)
		until = me->beat_ms;
	if (me->look_wait_ms) {
		if (!sockets_unsettled() && me->welcome)
			me->look_wait_ms = 0;
		else if (now + me->look_wait_ms < until)
			until = now + me->look_wait_ms;
		if (me->look_wait_ms < (me->stderr_open ? LOOK_MOST_MS : TICK_MS))
			me->look_wait_ms *= 2;
	}
	return until > now ? until - now : 0;
}

/* Returns when the thread is to end; true: as the last of the process. */
static bool live(struct life *me)
{
	for (;;) {
		uint32_t rung = atomic_load(&bell);

		if (atomic_load(&leaving)) {
			say_goodbye(me);
			tell(&left);
			park();
		}
		if (wants_agent(me) && now_ms() >= me->retry_ms)
			connect_to_agent(me);
		if (me->channel >= 0) {
			announce_sockets(me);
			beat(me);
			if (receive(me))
				return false;
		}
		if (look_around(me)) {
			atomic_store(&leave_ms, settings_exit_timeout_ms());
			say_goodbye(me);
			return true;
		}
		futex_wait(&bell, rung, time_to_sleep_ms(me));
	}
}

/* Nobody is to wait for the thread any more. */
static void be_without_thread(enum phase now)
{
	atomic_store(&phase, now);
	tell(&left);
	announce_to_waiters();
	announce_to_forks();
}

/* There is no thread, or it cannot have a file table of its own. */
static void go_inline(void)
{
	be_without_thread(settings_error() ? OVER : THREADLESS);
	if (settings_error())
		say_once(settings_error());
	else
		threadless_announce();
}

static void *heartbeat(void *unused)
{
	struct life me = {
		.channel = -1,
		.stderr_open = true,
		.interval_ms = 5000,
		.born_ms = now_ms(),
	};
	bool last = false;

	isolate_folders();
	tell(&apart);
	(void)raw(SYS_prctl, PR_SET_NAME, raw_arg("etcd-registry"), 0, 0, 0);
	if (isolate_descriptors() == 0) {
		isolate_scheduling();
		atomic_store(&phase, RUNNING);
		if (settings_error())
			complain(&me, settings_error());
		else
			last = live(&me);
		let_go_of_stderr(&me);
		raw_close(me.channel);
		be_without_thread(OVER);
	} else {
		go_inline();
	}
	linger_release(&libc, last, &host_mask);
	return unused;
}

static int create(void)
{
	linger_arm(&libc);
	return thread_create(&libc, heartbeat, &host_mask);
}

/*
 * A host that has the privilege for it may call chroot() next, and from an empty folder no agent
 * can be started.  Where its other threads share its folders, only the new thread can leave them,
 * when it is scheduled.
 */
static void start(void)
{
	bool threads = settings_thread() && symbols_threads(&libc);
	bool apart_first = threads && isolate_host_may_change_root();
	bool alone = apart_first && isolate_is_alone();

	if (!threads || create() != 0)
		go_inline();
	else if (apart_first && !(alone && isolate_leave_folders()))
		wait_until_told(&apart, APART_WAIT_MS);
}

void heartbeat_ring(void)
{
	int absent = ABSENT, now = atomic_load(&phase);

	if (now == THREADLESS)
		threadless_announce();
	if (now == THREADLESS || now == OVER)
		return;
	atomic_fetch_add(&bell, 1);
	if (atomic_compare_exchange_strong(&phase, &absent, STARTING))
		start();
	else
		futex_wake(&bell);
}

void heartbeat_wait(int place, uint32_t timeout_ms)
{
	uint64_t deadline = now_ms() + timeout_ms, now;

	while (alive() && (now = now_ms()) < deadline) {
		uint32_t seen = atomic_load(&settled);

		if (sockets_settled(place))
			return;
		futex_wait(&settled, seen, deadline - now);
	}
}

void heartbeat_leave(uint32_t timeout_ms)
{
	if (atomic_load(&phase) != RUNNING)
		return;
	atomic_store(&leave_ms, timeout_ms);
	atomic_store(&leaving, true);
	atomic_fetch_add(&bell, 1);
	futex_wake(&bell);
	wait_until_told(&left, timeout_ms);
}

static bool is_to_be_announced(void)
{
	return alive() && !atomic_load(&stuck) && sockets_unannounced();
}

static void wait_until_announced(void)
{
	uint64_t deadline = now_ms() + FORK_WAIT_MS, now;
	uint32_t seen = atomic_load(&announced);

	while (is_to_be_announced() && (now = now_ms()) < deadline) {
		futex_wait(&announced, seen, deadline - now);
		seen = atomic_load(&announced);
	}
}

/* Almost always with nothing to wait for, and then neither a call nor a page that is copied. */
void heartbeat_note_fork(void)
{
	if (!atomic_load(&forked))
		atomic_store(&forked, true);
	if (is_to_be_announced())
		wait_until_announced();
}

void heartbeat_forget(void)
{
	atomic_store(&phase, ABSENT);
	atomic_store(&apart, 0);
	atomic_store(&bell, 0);
	atomic_store(&leaving, false);
	atomic_store(&left, 0);
	atomic_store(&forked, false);
	atomic_store(&stuck, false);
	linger_forget();
	threadless_forget();
}
