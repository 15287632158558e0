/*
 * callbacks: what libmicrohttpd calls, of a connection (connection.c) and of a request on it
 * (exchange.c). cls is the struct loop in each.
 */
#pragma once

#include "mhd/loop.h"

/* MHD_AcceptPolicyCallback: refuses clients that have too many connections open. */
enum MHD_Result connection_may_accept(void *cls, const struct sockaddr *address, socklen_t len);

/* MHD_OPTION_NOTIFY_CONNECTION: makes and frees the connection's record. */
void connection_notify(void *cls, struct MHD_Connection *connection, void **socket_context,
    enum MHD_ConnectionNotificationCode code);

/* MHD_OPTION_URI_LOG_CALLBACK: copies the raw target into the record. */
void *connection_take_target(void *cls, const char *target, struct MHD_Connection *connection);

/* The value of a Cookie field that is not the client's; see connection.c. */
extern const char connection_no_cookies[];

/* MHD_OPTION_NOTIFY_COMPLETED: wipes what the request left in the record. */
void connection_request_completed(void *cls, struct MHD_Connection *connection,
    void **request_context, enum MHD_RequestTerminationCode code);

/* MHD_AccessHandlerCallback. */
enum MHD_Result exchange_handle(void *cls, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload_data, size_t *upload_data_size,
    void **request_context);

/* Count and log a request that the library has answered by itself, if it has: at its end. */
void exchange_end(struct loop *loop, struct MHD_Connection *connection, struct record *record);
