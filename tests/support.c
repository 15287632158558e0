#include "support.h"

#include <stdlib.h>

int
support_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

struct config *
support_config(const char *file_text, char *const *environment)
{
	struct config_source source = {
		.file_name = file_text != NULL ? "test.json" : NULL,
		.file_text = span_of(file_text != NULL ? file_text : ""),
		.environment = environment,
		.processors = 2,
	};
	struct findings findings = { 0 };
	struct config *config = config_parse(&source, &findings);

	ck_assert_msg(config != NULL, "%s", findings.n > 0 ? findings.items[0].text : "no memory");
	config_findings_free(&findings);
	return config;
}

struct config *
support_usual_config(void)
{
	return support_config(
	    "{\"public_url\": \"https://oauth.example.com\","
	    "\"microsoft\": {\"client_id\": \"11111111-2222-3333-4444-555555555555\"},"
	    "\"connect\": {\"return_origins\": [\"https://app.example.com\"]}}",
	    NULL);
}
