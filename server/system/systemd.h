/*
 * systemd: readiness, the watchdog, and passed sockets, by the documented protocols: sd_notify(3)
 * and sd_listen_fds(3). Without systemd everything here does nothing.
 */
#pragma once

#include "base/buf.h"

/* Send assignments such as "READY=1", one per line, to NOTIFY_SOCKET, without waiting for it. */
void systemd_notify(const char *assignments);

/* RELOADING=1 with the time that systemd asks for. */
void systemd_notify_reloading(void);

/* Whether standard error is a connection to the journal. */
bool systemd_has_journal(void);

/* Within how many milliseconds the watchdog expects a sign of life; 0: there is no watchdog. */
int64_t systemd_watchdog_ms(void);

/* Passed sockets are the numbers from the first one up to this end. */
enum { SYSTEMD_FIRST_SOCKET = 3 };
int systemd_end_of_sockets(void);

/* Their names in this order, with colons between (FileDescriptorName=). */
struct span systemd_socket_names(void);
