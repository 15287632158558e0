/*
 * Feeds the named files to a fuzzer, so that its corpus is a test with any compiler.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

enum { FILE_MAX_LEN = 1024 * 1024 };

/* Exactly as many bytes as the file has, so that reading past them is noticed. */
static bool
replay(const char *path)
{
	static char bytes[FILE_MAX_LEN];
	FILE *file = fopen(path, "rb");
	size_t len;
	char *input;

	if (file == NULL) {
		perror(path);
		return false;
	}
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	fprintf(stderr, "%s\n", path);
	input = malloc(len > 0 ? len : 1);
	HOLDS(input != NULL);
	memcpy(input, bytes, len);
	LLVMFuzzerTestOneInput((const uint8_t *)input, len);
	free(input);
	return true;
}

int
main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: replay FILE ...\n");
		return EXIT_FAILURE;
	}
	for (int i = 1; i < argc; i++)
		if (!replay(argv[i]))
			return EXIT_FAILURE;
	printf("%d inputs\n", argc - 1);
	return EXIT_SUCCESS;
}
