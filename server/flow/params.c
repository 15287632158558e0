#include "flow/params.h"

#include "base/json.h"
#include "flow/hint.h"
#include "flow/provider.h"

static const struct {
	const char *name;
	size_t max_len;
} rules[N_PARAMS + 1] = {
	[PARAM_TOKEN] = { "recall_calendar_auth_token", PARAMS_TOKEN_MAX_LEN },
	[PARAM_SUCCESS_URL] = { "success_url", URL_RETURN_MAX_LEN },
	[PARAM_ERROR_URL] = { "error_url", URL_RETURN_MAX_LEN },
	[PARAM_LOGIN_HINT] = { "login_hint", PARAMS_HINT_MAX_LEN },
	[PARAM_DOMAIN_HINT] = { "domain_hint", PARAMS_HINT_MAX_LEN },
	[PARAM_PROMPT] = { "prompt", PARAMS_HINT_MAX_LEN },
	[PARAM_TENANT] = { "tenant", PARAMS_HINT_MAX_LEN },
};

struct reader {
	const struct config *config;
	const struct provider *provider;
	bool is_admin;       /* tenant is known, and the others are not refused but ignored */
	struct span *params; /* N_PARAMS */
	struct buf storage;  /* over the caller's array; the values stand in it */
	struct problem *problem;
};

static bool
reject(struct reader *r, const char *reason, enum param param, const char *detail)
{
	*r->problem = (struct problem){ 400, reason, rules[param].name, detail, NULL };
	return false;
}

static bool
check_bytes(struct reader *r, enum param param, struct span value)
{
	if (value.len == 0)
		return reject(r, "parameter_empty", param, "is empty");
	if (value.len > rules[param].max_len)
		return reject(r, "parameter_too_long", param, "is too long");
	if (!text_is_utf8(value))
		return reject(r, "parameter_malformed", param, "is not valid UTF-8");
	if (text_has_control(value))
		return reject(r, "parameter_malformed", param, "contains a control byte");
	if (span_find(value, '<') < value.len || span_find(value, '>') < value.len)
		return reject(r, "parameter_malformed", param,
		    "contains < or >, which Microsoft would strip from the state");
	return true;
}

static bool
check_meaning(struct reader *r, enum param param, struct span value)
{
	if (param == PARAM_SUCCESS_URL || param == PARAM_ERROR_URL) {
		struct url_origin origin;
		const char *wrong = url_parse(value, URL_ANY, &origin);

		if (wrong != NULL)
			return reject(r, "parameter_malformed", param, wrong);
		return url_matches(
			   &origin, r->config->return_origins, r->config->n_return_origins) ||
		       reject(r, "parameter_not_allowed", param,
			   "has an origin that is not on this server's allow-list "
			   "(connect.return_origins)");
	}
	if (param == PARAM_TENANT && !text_is_guid(value) && !text_is_domain(value))
		return reject(r, "parameter_malformed", param, "is neither a GUID nor a domain");
	if (param != PARAM_PROMPT)
		return true;
	for (const char *const *good = r->provider->prompts; *good != NULL; good++)
		if (span_is(value, *good))
			return true;
	return reject(r, "parameter_not_allowed", param, r->provider->prompt_rule);
}

/* Take a decoded value, which stands in storage from start on. */
static bool
keep_value(struct reader *r, enum param param, size_t start)
{
	struct span value = span_from(buf_span(&r->storage), start);

	if (!buf_ok(&r->storage))
		return reject(r, "parameter_too_long", param, "is too long");
	if (!check_bytes(r, param, value) || !check_meaning(r, param, value))
		return false;
	r->params[param] = value;
	return true;
}

static bool
check_name(struct reader *r, enum param param, struct span name)
{
	if (param == N_PARAMS || (param == PARAM_TENANT && !r->is_admin)) {
		reject(r, "parameter_unknown", N_PARAMS,
		    "The request has an unknown parameter. Known parameters are "
		    "recall_calendar_auth_token, success_url, error_url, login_hint, domain_hint "
		    "and prompt");
		r->problem->hint = hint_of_parameter(name);
		return false;
	}
	if (r->params[param].len > 0)
		return reject(r, "parameter_repeated", param, "appears more than once");
	return true;
}

static bool
read_form(struct reader *r, struct span form)
{
	struct span name, value;

	while (url_next_pair(&form, &name, &value)) {
		size_t start = r->storage.len;
		enum param param = 0;

		while (param < N_PARAMS && !url_name_is(name, rules[param].name))
			param++;
		if (r->is_admin && param != PARAM_TENANT)
			continue;
		if (!check_name(r, param, name))
			return false;
		if (!url_decode_form(&r->storage, value))
			return reject(r, "parameter_malformed", param,
			    "has a % that is not followed by two hex digits");
		if (!keep_value(r, param, start))
			return false;
	}
	return true;
}

static bool
read_member(struct reader *r, const cJSON *member)
{
	size_t start = r->storage.len;
	enum param param = 0;

	while (param < N_PARAMS && strcmp(member->string, rules[param].name) != 0)
		param++;
	if (!check_name(r, param, span_of(member->string)))
		return false;
	if (!cJSON_IsString(member))
		return reject(r, "parameter_malformed", param, "is not a string");
	buf_puts(&r->storage, member->valuestring);
	return keep_value(r, param, start);
}

static bool
read_json(struct reader *r, struct span body)
{
	const char *wrong;
	size_t line;
	cJSON *tree = json_parse(body, &line, &wrong), *member;
	bool good = cJSON_IsObject(tree);

	if (tree == NULL && wrong == json_out_of_memory)
		http_refuse(r->problem, 503, "out_of_memory", "The server is short of memory");
	else if (!good)
		reject(r, "body_malformed", N_PARAMS, "The body is not a single valid JSON object");
	cJSON_ArrayForEach(member, tree) good = good && read_member(r, member);
	cJSON_Delete(tree);
	return good;
}

static bool
read_body(struct reader *r, const struct request *request)
{
	const char *detail =
	    "The body is neither application/x-www-form-urlencoded nor application/json";
	struct span type = SPAN("");

	if (http_count_header(request, "Content-Type", &type) > 1)
		detail = "The request has more than one Content-Type field";
	else if (http_is_media_type(type, "application/x-www-form-urlencoded"))
		return read_form(r, request->body);
	else if (http_is_media_type(type, "application/json"))
		return read_json(r, request->body);
	else if (request->body.len == 0 && type.len == 0)
		return true;
	return http_refuse(r->problem, 415, "body_type", detail);
}

bool
params_read(const struct config *config, const struct request *request, char *storage,
    struct span ret_params[N_PARAMS], struct problem *ret_problem)
{
	struct reader r = { config, request->provider, request->route == ROUTE_CONNECT_ADMIN,
		.params = ret_params, .problem = ret_problem };

	for (enum param p = 0; p < N_PARAMS; p++)
		ret_params[p] = (struct span)SPAN("");
	buf_init(&r.storage, storage, PARAMS_STORAGE_SIZE);
	if (!read_form(&r, request->query))
		return false;
	if (span_is(request->method, "POST") && !read_body(&r, request))
		return false;
	if (!r.is_admin && ret_params[PARAM_TOKEN].len == 0)
		return reject(&r, "parameter_missing", PARAM_TOKEN, "is missing");
	return true;
}

bool
params_check_token(struct span token, struct problem *ret_problem)
{
	struct reader r = { .problem = ret_problem };

	return check_bytes(&r, PARAM_TOKEN, token);
}
