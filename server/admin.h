/*
 * admin: the page that an administrator lands on after Microsoft's approval question.
 */
#ifndef ADMIN_H
#define ADMIN_H

#include "http.h"

/*
 * Say whether the app was approved. is_bound: this browser started it, so that the answer can be
 * taken for what it seems; else the page only repeats what Microsoft reports. `error` counts before
 * `admin_consent`, which Microsoft sends as True even on failure; `tenant` is never used.
 * https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
 */
void admin_show_result(const struct outcome *outcome, bool is_bound, struct response *response);

#endif
