/* reply: the response of an exchange on its way out. */
#pragma once

#include "mhd/loop.h"

/* Empty x->response, over the loop's arrays. */
void reply_open(struct exchange *x);

/* Queue what x->response holds, wipe it, count and log; without memory the one below instead. */
enum MHD_Result reply_send(struct exchange *x);

/* Count and log x->response, which has been sent: by reply_send(), or by the library itself. */
void reply_note(struct exchange *x);

/* Send a 503 that takes no memory, count and log it; the connection is closed then. */
enum MHD_Result reply_without_memory(struct exchange *x);
