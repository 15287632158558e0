/*
 * systemd: readiness, the watchdog, and passed sockets, by the documented protocols: sd_notify(3)
 * and sd_listen_fds(3). Without systemd everything here does nothing.
 */
#ifndef SYSTEMD_H
#define SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Send assignments such as "READY=1", a line each, to NOTIFY_SOCKET. */
void systemd_notify(const char *assignments);

/* RELOADING=1 with the time that systemd asks for. */
void systemd_notify_reloading(void);

/* How often the watchdog wants to hear something, in milliseconds; 0: there is none. */
int64_t systemd_watchdog_ms(void);

/*
 * The passed socket of this name (FileDescriptorName=), or -1. It listens, and is closed on exec.
 * Of several with one name, the first.
 */
int systemd_find_socket(const char *name);

#endif
