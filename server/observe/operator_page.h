/*
 * operator_page: what an operator without graphs would look for, on one page of HTML without
 * script: did anybody fail today, why, and what to tell them.
 */
#pragma once

#include "observe/recent.h"

/* Answer with the page, which browsers ask for again every 30 seconds. */
void operator_page_show(const struct config *config, const struct gauges *gauges,
    const struct past *past, struct response *response);
