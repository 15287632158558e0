/*
 * cork: the last response of a connection and the connection's end, in one segment instead of two.
 */
#ifndef CORK_H
#define CORK_H

/*
 * Keep back what is sent on this socket until cork_end(), at most 200 ms (tcp(7), TCP_CORK). For a
 * connection that libmicrohttpd closes after this response; the calling thread is its loop's, and
 * has one such socket at a time: another one's cork is left to the library.
 */
void cork_until_end(int fd);

/*
 * Nothing more is to be sent: what was kept back and the end go out. Does nothing where the socket
 * is not corked. Closing it would do the same, but where bytes of the client's are unread then, it
 * would throw away the response.
 */
void cork_end(int fd);

#endif
