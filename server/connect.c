/*
 * The rules of /connect's parameters. Unknown, repeated, empty, long or odd: refused, by name.
 */
#include "connect.h"

#include "json.h"

enum param { TOKEN, SUCCESS_URL, ERROR_URL, LOGIN_HINT, DOMAIN_HINT, PROMPT, N_PARAMS };

static const struct {
	const char *name;
	size_t max_len;
} rules[N_PARAMS] = {
	[TOKEN] = { "recall_calendar_auth_token", CONNECT_TOKEN_MAX_LEN },
	[SUCCESS_URL] = { "success_url", URL_RETURN_MAX_LEN },
	[ERROR_URL] = { "error_url", URL_RETURN_MAX_LEN },
	[LOGIN_HINT] = { "login_hint", CONNECT_HINT_MAX_LEN },
	[DOMAIN_HINT] = { "domain_hint", CONNECT_HINT_MAX_LEN },
	[PROMPT] = { "prompt", CONNECT_HINT_MAX_LEN },
};

struct reader {
	const struct config *config;
	struct connect_params *params;
	struct buf storage; /* over the caller's array; values stand in it one behind the other */
	struct problem *problem;
};

static bool
refuse(struct reader *r, const char *reason, const char *parameter, const char *detail)
{
	*r->problem = (struct problem){ 400, reason, parameter, detail, NULL };
	return false;
}

static struct span *
value_of(struct connect_params *params, enum param param)
{
	struct span *const values[N_PARAMS] = {
		[TOKEN] = &params->token,
		[SUCCESS_URL] = &params->success_url,
		[ERROR_URL] = &params->error_url,
		[LOGIN_HINT] = &params->login_hint,
		[DOMAIN_HINT] = &params->domain_hint,
		[PROMPT] = &params->prompt,
	};

	return values[param];
}

static bool
check_bytes(struct reader *r, enum param param, struct span value)
{
	const char *name = rules[param].name;

	if (value.len == 0)
		return refuse(r, "parameter_empty", name, "is empty");
	if (value.len > rules[param].max_len)
		return refuse(r, "parameter_too_long", name, "is too long");
	if (!text_is_utf8(value))
		return refuse(r, "parameter_malformed", name, "is not valid UTF-8");
	if (text_has_control(value))
		return refuse(r, "parameter_malformed", name, "has a control byte in it");
	if (span_find(value, '<') < value.len || span_find(value, '>') < value.len)
		return refuse(r, "parameter_malformed", name,
		    "has < or > in it, which Microsoft strips from state");
	return true;
}

static bool
check_return_url(struct reader *r, const char *name, struct span url)
{
	struct url_origin origin;
	struct span rest;
	enum url_fault fault = url_parse(url, &origin, &rest);

	if (fault != URL_GOOD)
		return refuse(r, "parameter_malformed", name, url_fault_text(fault));
	for (size_t i = 0; i < r->config->n_return_origins; i++)
		if (url_same_origin(&origin, &r->config->return_origins[i]))
			return true;
	return refuse(r, "parameter_not_allowed", name,
	    "has an origin that is not on this server's allow-list (connect.return_origins)");
}

static bool
check_prompt(struct reader *r, struct span prompt)
{
	if (span_equals(prompt, (struct span)SPAN("login")) ||
	    span_equals(prompt, (struct span)SPAN("select_account")))
		return true;
	if (span_equals(prompt, (struct span)SPAN("consent")))
		return refuse(r, "parameter_not_allowed", rules[PROMPT].name,
		    "must not be consent: it makes users whose administrator has already approved "
		    "the app loop at the approval step");
	return refuse(
	    r, "parameter_not_allowed", rules[PROMPT].name, "must be login or select_account");
}

static bool
check_meaning(struct reader *r, enum param param, struct span value)
{
	if (param == SUCCESS_URL || param == ERROR_URL)
		return check_return_url(r, rules[param].name, value);
	return param != PROMPT || check_prompt(r, value);
}

/* Take a decoded value, which stands in storage from start on. */
static bool
take_value(struct reader *r, enum param param, size_t start)
{
	struct span value = span_from(buf_span(&r->storage), start);

	if (!buf_ok(&r->storage))
		return refuse(r, "parameter_too_long", rules[param].name, "is too long");
	if (!check_bytes(r, param, value) || !check_meaning(r, param, value))
		return false;
	*value_of(r->params, param) = value;
	return true;
}

static bool
find_param(struct reader *r, struct span encoded_name, enum param *ret_param)
{
	for (enum param p = 0; p < N_PARAMS; p++) {
		if (!url_name_is(encoded_name, span_of(rules[p].name)))
			continue;
		*ret_param = p;
		if (value_of(r->params, p)->len > 0)
			return refuse(r, "parameter_repeated", rules[p].name, "is there twice");
		return true;
	}
	return refuse(r, "parameter_unknown", NULL,
	    "A parameter is unknown; known are recall_calendar_auth_token, success_url, error_url, "
	    "login_hint, domain_hint and prompt");
}

static bool
read_form(struct reader *r, struct span form)
{
	struct span name, value;
	enum param param;

	while (url_next_pair(&form, &name, &value)) {
		size_t start = r->storage.len;

		if (!find_param(r, name, &param))
			return false;
		if (!url_decode_form(&r->storage, value))
			return refuse(r, "parameter_malformed", rules[param].name,
			    "has a % that two hex digits do not follow");
		if (!take_value(r, param, start))
			return false;
	}
	return true;
}

/* An encoded name is compared, so a name with % or + in it must not be taken for another. */
static bool
is_plain(const char *name)
{
	return strpbrk(name, "%+") == NULL;
}

static bool
read_member(struct reader *r, const cJSON *member)
{
	size_t start = r->storage.len;
	enum param param;

	if (!find_param(
		r, is_plain(member->string) ? span_of(member->string) : span_of("%"), &param))
		return false;
	if (!cJSON_IsString(member))
		return refuse(r, "parameter_malformed", rules[param].name, "is not a string");
	buf_puts(&r->storage, member->valuestring);
	return take_value(r, param, start);
}

/* cJSON frees its strings without wiping them. */
static void
wipe_strings(cJSON *tree)
{
	cJSON *member;

	cJSON_ArrayForEach(member, tree) if (cJSON_IsString(member))
	    explicit_bzero(member->valuestring, strlen(member->valuestring));
	cJSON_Delete(tree);
}

static bool
read_json(struct reader *r, struct span body)
{
	const char *fault;
	size_t line;
	cJSON *tree = json_parse(body, &line, &fault), *member;
	bool good = cJSON_IsObject(tree);

	if (tree == NULL && fault == json_out_of_memory)
		*r->problem = (struct problem){ 503, "out_of_memory", NULL,
			"The server is short of memory", NULL };
	else if (!good)
		refuse(r, "body_malformed", NULL, "The body is not one valid JSON object");
	cJSON_ArrayForEach(member, tree) good = good && read_member(r, member);
	wipe_strings(tree);
	return good;
}

static bool
read_body(struct reader *r, const struct request *request)
{
	static const struct span field = SPAN("Content-Type");
	struct span type = http_find_header(request, field);

	if (http_is_repeated(request, field)) {
		*r->problem = (struct problem){ 415, "body_type", NULL,
			"The body has more than one Content-Type", NULL };
		return false;
	}
	if (http_is_media_type(type, (struct span)SPAN("application/x-www-form-urlencoded")))
		return read_form(r, request->body);
	if (http_is_media_type(type, (struct span)SPAN("application/json")))
		return read_json(r, request->body);
	*r->problem = (struct problem){ 415, "body_type", NULL,
		"The body is neither application/x-www-form-urlencoded nor application/json",
		NULL };
	return request->body.len == 0 && type.len == 0;
}

bool
connect_read(const struct config *config, const struct request *request, char *storage,
    struct connect_params *ret_params, struct problem *ret_problem)
{
	static const struct connect_params none = { SPAN(""), SPAN(""), SPAN(""), SPAN(""),
		SPAN(""), SPAN("") };
	struct reader r = { .config = config, .params = ret_params, .problem = ret_problem };

	*ret_params = none;
	buf_init(&r.storage, storage, CONNECT_STORAGE_SIZE);
	if (!read_form(&r, span_from(http_query(request->target), 1)))
		return false;
	if (span_equals(request->method, (struct span)SPAN("POST")) && !read_body(&r, request))
		return false;
	if (ret_params->token.len == 0)
		return refuse(&r, "parameter_missing", rules[TOKEN].name, "is missing");
	return true;
}

static bool
check_tenant(struct reader *r, struct span tenant)
{
	if (!buf_ok(&r->storage))
		return refuse(r, "parameter_too_long", "tenant", "is too long");
	if (tenant.len == 0)
		return refuse(r, "parameter_empty", "tenant", "is empty");
	if (!text_is_guid(tenant) && !text_is_domain(tenant))
		return refuse(r, "parameter_malformed", "tenant", "is neither a GUID nor a domain");
	return true;
}

bool
connect_read_tenant(const struct request *request, char *storage, struct span *ret_tenant,
    struct problem *ret_problem)
{
	struct span query = span_from(http_query(request->target), 1), name, value;
	struct reader r = { .problem = ret_problem };

	*ret_tenant = (struct span)SPAN("");
	buf_init(&r.storage, storage, CONNECT_STORAGE_SIZE);
	while (url_next_pair(&query, &name, &value)) {
		if (!url_name_is(name, (struct span)SPAN("tenant")))
			return refuse(&r, "parameter_unknown", NULL,
			    "A parameter is unknown; the only known one is tenant");
		if (ret_tenant->len > 0)
			return refuse(&r, "parameter_repeated", "tenant", "is there twice");
		if (!url_decode_form(&r.storage, value))
			return refuse(&r, "parameter_malformed", "tenant",
			    "has a % that two hex digits do not follow");
		*ret_tenant = buf_span(&r.storage);
		if (!check_tenant(&r, *ret_tenant))
			return false;
	}
	return true;
}

bool
connect_check_token(struct span token, struct problem *ret_problem)
{
	struct reader r = { .problem = ret_problem };

	return check_bytes(&r, TOKEN, token);
}
