/*
 * connection: libmicrohttpd's callbacks around a connection. cls is the struct loop in each.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "exchange.h"

/* MHD_AcceptPolicyCallback: refuses clients that have too many connections open. */
enum MHD_Result connection_may_accept(void *cls, const struct sockaddr *address, socklen_t len);

/* MHD_OPTION_NOTIFY_CONNECTION: makes and frees the connection's record. cls is the loop. */
void connection_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
    enum MHD_ConnectionNotificationCode code);

/* MHD_OPTION_URI_LOG_CALLBACK: copies the raw target into the record. */
void *connection_take_target(void *cls, const char *target, struct MHD_Connection *connection);

/* MHD_OPTION_NOTIFY_COMPLETED: wipes what the request left in the record. */
void connection_request_completed(void *cls, struct MHD_Connection *connection,
    void **request_context, enum MHD_RequestTerminationCode code);

/* Its socket, the library's own; -1 where it is not known. */
int connection_fd(struct MHD_Connection *connection);

/* The other end's address, borrowed from the library; NULL where it is not known. */
const struct sockaddr *connection_client(struct MHD_Connection *connection);

#endif
