/*
 * cork: the last response of a connection and the connection's end, in one segment instead of two.
 */
#ifndef CORK_H
#define CORK_H

/*
 * Keep back what is sent on this socket until it is closed, at most 200 ms (tcp(7), TCP_CORK). For
 * a connection that libmicrohttpd closes right after the response; the calling thread is its
 * loop's.
 */
void cork_until_close(int fd);

/* The socket is about to be closed: its number may be another's from now on. */
void cork_forget(void);

#endif
