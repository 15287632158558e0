/*
 * live: the configuration in force, which a reload replaces while event loops read it.
 */
#ifndef LIVE_H
#define LIVE_H

#include <stdatomic.h>

#include "config.h"

struct live {
	_Atomic(const struct config *) config;
	atomic_bool draining; /* no new work is wanted: readiness fails, connections are closed */
};

/* One a reading thread: what it reads just now, or NULL. */
struct live_reader {
	_Atomic(const struct config *) reads;
};

/* The configuration, which stays until live_leave(). No lock, no waiting. */
const struct config *live_enter(struct live *live, struct live_reader *reader);
void live_leave(struct live_reader *reader);

/* Put new in place and return what it replaces, for the caller to free after live_wait(). */
const struct config *live_replace(struct live *live, const struct config *new_config);

/* Wait until the reader is not within old; false if that takes over five seconds. */
bool live_wait(struct live_reader *reader, const struct config *old);

#endif
