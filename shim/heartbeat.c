/* SPDX-License-Identifier: MIT */
/* heartbeat.c - the thread between the host's hooks and the agent. */
#include "heartbeat.h"

#include <asm-generic/errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "channel.h"
#include "filter.h"
#include "follow.h"
#include "forgotten.h"
#include "futex.h"
#include "isolate.h"
#include "raw.h"
#include "say.h"
#include "settings.h"
#include "sockets.h"
#include "spawn.h"
#include "thread.h"
#include "threadless.h"

#define TICK_MS 1000      /* how often the thread looks around when nothing happens */
#define FOLLOW_FIRST_MS 5 /* after a listen(), when servers give up privileges; then 25, 125 */
#define FOLLOW_MOST_MS 125
#define EDGES_MS 250      /* between the edges of the clock on which hosts look and beat */
#define SLACK_NS 50000000 /* how much later than that the kernel may wake the thread up */
#define STDERR_KEPT_MS 5000
#define FORK_WAIT_MS 200      /* longest wait of a fork for the agent to be told */
#define PATIENCE_MS 500       /* with an agent that lets nobody connect, before another is had */
#define PATIENCE_FORKED_MS 50 /* ... while a fork may be waiting */
#define SPAWN_WAIT_MS 50      /* at the end of the thread, for the process that it has to collect */
#define RETRY_FIRST_MS 1
#define RETRY_MOST_MS 32000
#define RETRY_SAID_MS 1000 /* so long without an agent, and the thread says so on stderr */
#define ANSWER_FIRST_MS 1  /* looking for an answer: soon, then less and less often */
#define ANSWER_MOST_MS 50  /* ... while somebody may be waiting; TICK_MS after that */

enum phase { ABSENT, STARTING, RUNNING, OVER, THREADLESS };

/* Shared with the host's threads; each is written by what its comment says. */
static FORGOTTEN_FIRST _Atomic int phase; /* creator: STARTING; thread: RUNNING; both: the rest */
static FORGOTTEN _Atomic uint32_t bell;   /* futex; counts the reasons to wake up */
static FORGOTTEN _Atomic bool leaving;    /* the host is in exit() */
static FORGOTTEN _Atomic uint32_t left;   /* futex; 1: goodbye is said */
static FORGOTTEN _Atomic bool forked;     /* the host has forked since it listened */
static FORGOTTEN _Atomic bool stuck;      /* no agent can be reached */
static FORGOTTEN _Atomic bool spawning;   /* all is said, to an agent that does not run yet */
static _Atomic uint32_t settled;          /* futex; counts the outcomes */
static _Atomic uint32_t announced;        /* futex; counts what a fork may wait for */
static _Atomic uint32_t leave_ms;         /* how long the goodbye may take */

/* The thread's own. */
struct life {
	int channel; /* -1: none */
	bool stderr_open;
	bool welcome;   /* the agent at the other end has answered */
	bool following; /* the thread has compared itself with the host */
	bool easy;      /* its timers may be late */
	uint64_t born_ms;
	uint32_t offset_ms;      /* of its edges on the clock */
	uint64_t beat_ms;        /* when the next is due */
	uint64_t tick_ms;        /* when to look around again */
	uint32_t follow_wait_ms; /* between the early looks after a listen(); 0: they are over */
	uint64_t retry_ms;       /* when to try the agent again */
	uint32_t retry_wait_ms;
	uint32_t interval_ms;
	uint32_t answer_wait_ms; /* 0: nothing is awaited */
	int error;               /* of the latest attempt */
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
	me->answer_wait_ms = 0;
	sockets_announce_again();
}

/*
 * Soon at first, because agents start, end and are killed; then less and less often.
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

/*
 * Looks and beats of a host share their edges of the clock, so that one wake-up does for both.
 * Each host has edges of its own, so that not all of a machine wake up together.
 */
static uint64_t next_edge(const struct life *me, uint64_t now, uint32_t period_ms)
{
	return now + period_ms - (now + me->offset_ms) % period_ms;
}

/* A host that listens all the time must not put its looks off. */
static void follow_soon(struct life *me)
{
	uint64_t soon = now_ms() + FOLLOW_FIRST_MS;

	me->follow_wait_ms = FOLLOW_FIRST_MS;
	if (me->tick_ms > soon)
		me->tick_ms = soon;
}

/*
 * A message that cannot be sent is tried again at the next look.  Whether the agent has gone is for
 * receive() to find, behind what it said last.
 */
static int announce_sockets(struct life *me)
{
	struct wire_socket socket;
	int rc = 0;

	while (rc == 0 && sockets_next(&socket)) {
		rc = channel_send_listen(me->channel, &socket);
		if (rc == 0)
			sockets_sent();
		me->answer_wait_ms = ANSWER_FIRST_MS;
		follow_soon(me);
	}
	if (rc < 0)
		sockets_announce_again();
	return rc;
}

static void announce_more(struct life *me)
{
	if (sockets_unannounced() && announce_sockets(me) == 0)
		announce_to_forks();
}

/*
 * All is said before an agent is started to hear it, so that the host may end at any time after.
 * Whether that agent runs shows on the connection, as the end of one does.
 */
static int introduce(struct life *me, int listener)
{
	int rc = channel_send_hello(me->channel, filter_of_this_thread() == FILTER_NONE);

	if (rc == 0)
		rc = announce_sockets(me);
	if (rc == 0 && listener >= 0)
		rc = spawn_agent(listener);
	return rc;
}

static void connect_to_agent(struct life *me)
{
	uint32_t patience_ms = atomic_load(&forked) ? PATIENCE_FORKED_MS : PATIENCE_MS;
	int listener, rc;

	rc = me->channel = channel_open(patience_ms, &listener);
	atomic_store(&spawning, listener >= 0);
	if (rc >= 0)
		rc = introduce(me, listener);
	atomic_store(&spawning, false);
	raw_close(listener);
	if (rc < 0) {
		lost(me, rc);
		return;
	}
	atomic_store(&stuck, false);
	announce_to_forks();
	me->answer_wait_ms = ANSWER_FIRST_MS;
}

static void beat(struct life *me, uint64_t now)
{
	me->beat_ms = next_edge(me, now, me->interval_ms);
	if (me->channel >= 0)
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
			me->beat_ms = next_edge(me, now_ms(), m.interval_ms);
		}
		if (m.type == WIRE_OUTCOME)
			outcome(me, &m);
	}
	if (rc < 0) {
		rc = me->welcome ? 0 : spawn_error();
		lost(me, rc ? rc : -EPIPE);
	}
	return false;
}

/*
 * Anything else that the agent says before its answer to BYE no longer matters.
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

/* The process ends, and the thread with it. */
static void park(void)
{
	for (;;)
		sleep_ms(UINT32_MAX);
}

/* An agent ends when nothing listens any more, and is not started again before something does. */
static bool wants_agent(const struct life *me)
{
	return me->channel < 0 && sockets_any();
}

/*
 * A look at the capabilities each second shows nearly every loss of privilege.  All is compared
 * with each beat, and soon after a listen().
 */
static enum follow follow(struct life *me, bool with_beat)
{
	if (!me->following)
		follow_begin();
	else if (!with_beat && !me->follow_wait_ms && !follow_is_due())
		return FOLLOW_SAME;
	me->following = true;
	return follow_host();
}

static void plan_next_look(struct life *me, uint64_t now)
{
	if (me->follow_wait_ms)
		me->follow_wait_ms *= 5;
	if (me->follow_wait_ms > FOLLOW_MOST_MS)
		me->follow_wait_ms = 0;
	me->tick_ms = me->follow_wait_ms ? now + me->follow_wait_ms : next_edge(me, now, TICK_MS);
}

/* The first agent is started as what the host was at its listen(): so the thread stays that. */
static enum follow look_around(struct life *me, uint64_t now, bool with_beat)
{
	enum follow found;

	if (now - me->born_ms >= STDERR_KEPT_MS)
		let_go_of_stderr(me);
	spawn_reap();
	if (wants_agent(me) && now - me->born_ms < TICK_MS)
		return FOLLOW_SAME;
	found = follow(me, with_beat);
	plan_next_look(me, now);
	return found;
}

static uint64_t time_to_sleep_ms(struct life *me, uint64_t now)
{
	uint64_t until = me->tick_ms < me->beat_ms ? me->tick_ms : me->beat_ms;

	if (wants_agent(me) && me->retry_ms < until)
		until = me->retry_ms;
	if (me->answer_wait_ms) {
		if (!sockets_unsettled() && me->welcome)
			me->answer_wait_ms = 0;
		else if (now + me->answer_wait_ms < until)
			until = now + me->answer_wait_ms;
		if (me->answer_wait_ms < (me->stderr_open ? ANSWER_MOST_MS : TICK_MS))
			me->answer_wait_ms *= 2;
	}
	return until > now ? until - now : 0;
}

/* The kernel may then wake the thread up together with others. */
static void take_it_easy(struct life *me, bool easy)
{
	if (easy != me->easy)
		(void)raw(SYS_prctl, PR_SET_TIMERSLACK, easy ? SLACK_NS : 0, 0, 0, 0);
	me->easy = easy;
}

static void sleep_until_due(struct life *me, uint64_t now, uint32_t rung)
{
	uint64_t ms = time_to_sleep_ms(me, now);

	take_it_easy(me, ms > EDGES_MS);
	futex_wait(&bell, rung, ms);
}

static void leave(struct life *me)
{
	say_goodbye(me);
	tell(&left);
	park();
}

/* Say what is due at `now`.  True: the agent has refused this process for good. */
static bool speak(struct life *me, uint64_t now, bool with_beat)
{
	if (wants_agent(me) && now >= me->retry_ms)
		connect_to_agent(me);
	if (me->channel >= 0)
		announce_more(me);
	if (with_beat)
		beat(me, now);
	return me->channel >= 0 && receive(me);
}

/* Returns when the thread is to end, with what the process is to be from then on. */
static enum phase live(struct life *me)
{
	for (;;) {
		uint32_t rung = atomic_load(&bell);
		uint64_t now = now_ms();
		bool with_beat = now >= me->beat_ms;
		enum follow found = FOLLOW_SAME;

		if (atomic_load(&leaving))
			leave(me);
		if (speak(me, now, with_beat))
			return OVER;
		if (with_beat || now >= me->tick_ms)
			found = look_around(me, now, with_beat);
		if (found == FOLLOW_NOT)
			return ABSENT;
		if (found == FOLLOW_LAST) {
			atomic_store(&leave_ms, settings_exit_timeout_ms());
			say_goodbye(me);
			return OVER;
		}
		sleep_until_due(me, now, rung);
	}
}

/* Nobody is to wait for the thread any more. */
static void be_without_thread(enum phase now)
{
	atomic_store(&phase, now);
	futex_wake(&left);
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

/*
 * From here on the agent goes by the kernel alone, and the next listen() makes a new thread, which
 * is what the host is then.  A hook that did not see the end of this one has left its socket to it.
 */
static void hand_over(struct life *me)
{
	int absent;

	do {
		absent = ABSENT;
		be_without_thread(ABSENT);
		if (me->channel < 0 || !sockets_unannounced() ||
		    !atomic_compare_exchange_strong(&phase, &absent, RUNNING))
			return;
	} while (announce_sockets(me) == 0);
	be_without_thread(ABSENT);
}

static void be_alive(struct life *me)
{
	enum phase next = OVER;

	isolate_scheduling();
	sockets_announce_again();
	atomic_store(&phase, RUNNING);
	if (settings_error())
		complain(me, settings_error());
	else
		next = live(me);
	let_go_of_stderr(me);
	spawn_wait(SPAWN_WAIT_MS);
	if (next == ABSENT)
		hand_over(me);
	else
		be_without_thread(next);
	raw_close(me->channel);
}

static int heartbeat(void)
{
	struct life me = {
		.channel = -1,
		.stderr_open = true,
		.interval_ms = 5000,
		.born_ms = now_ms(),
		.offset_ms = raw_getpid() * 2654435761u / EDGES_MS * EDGES_MS,
	};
	void *stack = thread_stack();

	me.beat_ms = next_edge(&me, me.born_ms, me.interval_ms);
	me.tick_ms = me.born_ms + FOLLOW_FIRST_MS;
	if (isolate_thread() == 0) {
		(void)raw(SYS_prctl, PR_SET_NAME, raw_arg("etcd-registry"), 0, 0, 0);
		be_alive(&me);
	} else {
		go_inline();
	}
	thread_end(stack);
}

/* Under a filter the file table is copied: the calls that leave a shared one may not be allowed. */
static void start(void)
{
	enum filter filter = settings_thread() ? filter_of_this_thread() : FILTER_FEARED;

	if (filter == FILTER_FEARED || thread_create(heartbeat, filter != FILTER_NONE) < 0)
		go_inline();
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
	if (atomic_load(&phase) != RUNNING || !thread_is_here())
		return;
	atomic_store(&leave_ms, timeout_ms);
	atomic_store(&leaving, true);
	atomic_fetch_add(&bell, 1);
	futex_wake(&bell);
	wait_until_told(&left, timeout_ms);
}

static bool is_to_be_announced(void)
{
	return alive() && !atomic_load(&stuck) && (sockets_unannounced() || atomic_load(&spawning));
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
	atomic_store(&bell, 0);
	atomic_store(&leaving, false);
	atomic_store(&left, 0);
	atomic_store(&forked, false);
	atomic_store(&stuck, false);
	atomic_store(&spawning, false);
	threadless_forget();
}
