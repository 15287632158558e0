/*
 * Which options the sockets get, and what a start does where the kernel refuses one.
 */
#include "system/listener.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support.h"

enum { NONE = -1, N_THREADS = 3 };

static int refused_option; /* of whatever level; NONE: none */
static struct listeners listeners;
static struct listener_fault fault;

/* Stands in for the C library's, and refuses one option as a kernel without it does. */
int
setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	if (option == refused_option) {
		errno = ENOPROTOOPT;
		return -1;
	}
	return (int)syscall(SYS_setsockopt, fd, level, option, value, len);
}

static struct config
make_config(void)
{
	return (struct config){
		.listen_address = "127.0.0.1",
		.admin_address = "127.0.0.1",
		.admin_port = 0,
		.threads = N_THREADS,
		.limits_connections = 4096,
	};
}

static void
close_all(void)
{
	for (size_t i = 0; i < listeners.n_public; i++)
		close(listeners.public_fds[i]);
	for (size_t i = 0; i < listeners.n_admin; i++)
		close(listeners.admin_fds[i]);
}

static int
get_option(int fd, int level, int option)
{
	int value = NONE;
	socklen_t len = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, option, &value, &len), 0);
	return value;
}

/* As the kernel gives them back: sizes doubled, and seconds as the retransmissions they last for.
 */
static const struct {
	const char *name;
	int level, option, plain, tls;
} options[] = {
	{ "SO_REUSEADDR", SOL_SOCKET, SO_REUSEADDR, 1, 1 },
	{ "SO_REUSEPORT", SOL_SOCKET, SO_REUSEPORT, 1, 1 },
	{ "SO_SNDBUF", SOL_SOCKET, SO_SNDBUF, 2 * 16 * 1024, 2 * 16 * 1024 },
	{ "SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, 2 * 16 * 1024, 2 * 16 * 1024 },
	{ "TCP_DEFER_ACCEPT", IPPROTO_TCP, TCP_DEFER_ACCEPT, 1, 15 },
};

START_TEST(every_socket_has_the_options)
{
	struct config config = make_config();

	for (int is_tls = 0; is_tls < 2; is_tls++) {
		config.tls_certificate = is_tls ? "pem" : NULL;
		ck_assert(listeners_open(&config, &listeners, &fault));
		for (size_t i = 0; i < listeners.n_public; i++)
			ck_assert_msg(get_option(listeners.public_fds[i], options[_i].level,
					  options[_i].option) ==
					  (is_tls ? options[_i].tls : options[_i].plain),
			    "%s of socket %zu%s is %d", options[_i].name, i,
			    is_tls ? " with TLS" : "",
			    get_option(
				listeners.public_fds[i], options[_i].level, options[_i].option));
		close_all();
	}
}
END_TEST

static bool
is_same_socket(int a, int b)
{
	struct stat of_a, of_b;

	return fstat(a, &of_a) == 0 && fstat(b, &of_b) == 0 && of_a.st_ino == of_b.st_ino;
}

static size_t
count_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(folder) != NULL)
		n++;
	closedir(folder);
	return n;
}

/* What only makes it faster may be refused; then the loops share one socket, or none is different.
 */
static const struct {
	const char *name;
	int option;
	bool starts, shares;
} refusals[] = {
	{ "none", NONE, true, false },
	{ "SO_REUSEPORT", SO_REUSEPORT, true, true },
	{ "TCP_DEFER_ACCEPT", TCP_DEFER_ACCEPT, true, false },
	{ "SO_SNDBUF", SO_SNDBUF, true, false },
	{ "SO_RCVBUF", SO_RCVBUF, true, false },
	{ "SO_REUSEADDR", SO_REUSEADDR, false, false },
};

START_TEST(refused_option_stops_no_start_that_can_do_without)
{
	struct config config = make_config();
	size_t files = count_files();

	refused_option = refusals[_i].option;
	ck_assert_msg(listeners_open(&config, &listeners, &fault) == refusals[_i].starts, "%s: %s",
	    refusals[_i].name, fault.cause);
	if (!refusals[_i].starts) {
		ck_assert_str_eq(fault.key, "listen");
		ck_assert_str_eq(fault.cause, "Protocol not available");
		ck_assert_int_eq(fault.number, ENOPROTOOPT);
		ck_assert_uint_eq(count_files(), files);
		return;
	}
	ck_assert_uint_eq(listeners.n_public, N_THREADS);
	for (size_t i = 1; i < N_THREADS; i++)
		ck_assert_int_eq(is_same_socket(listeners.public_fds[0], listeners.public_fds[i]),
		    refusals[_i].shares);
	ck_assert_uint_ne(listener_port(listeners.public_fds, 1), 0);
	ck_assert_uint_eq(listener_port(listeners.public_fds + N_THREADS - 1, 1),
	    listener_port(listeners.public_fds, 1));
	close_all();
}
END_TEST

/* Even one that could be shared: two servers would each get half of the connections. */
START_TEST(port_in_use_is_never_shared)
{
	struct config config = make_config();
	struct listeners second;
	size_t files;

	ck_assert(listeners_open(&config, &listeners, &fault));
	config.listen_port = listener_port(listeners.public_fds, 1);
	files = count_files();
	ck_assert(!listeners_open(&config, &second, &fault));
	ck_assert_str_eq(fault.key, "listen");
	ck_assert_int_eq(fault.number, EADDRINUSE);
	ck_assert_uint_eq(count_files(), files);
	config.admin_port = config.listen_port;
	config.listen_port = 0;
	ck_assert(!listeners_open(&config, &second, &fault));
	ck_assert_str_eq(fault.key, "admin");
	ck_assert_int_eq(fault.number, EADDRINUSE);
	close_all();
}
END_TEST

static const struct {
	unsigned threads, connections;
	bool is_tls;
	size_t n;
} counts[] = {
	{ 1, 4096, false, 1 },
	{ 3, 1, false, 3 },
	{ 1, 1, true, 1 },
	{ 1, 1024, true, 1 },
	{ 1, 1025, true, 2 },
	{ 2, 4096, true, 4 },
	{ 8, 4096, true, 8 },
	{ 1, 1000000, true, LISTENER_MAX_PUBLIC },
	{ LISTENER_MAX_PUBLIC, 1000000, false, LISTENER_MAX_PUBLIC },
};

START_TEST(loops_that_poll_share_the_connections)
{
	struct config config = make_config();

	config.threads = counts[_i].threads;
	config.limits_connections = counts[_i].connections;
	config.tls_certificate = counts[_i].is_tls ? "pem" : NULL;
	ck_assert_uint_eq(listener_count(&config), counts[_i].n);
}
END_TEST

static void
set_up(void)
{
	refused_option = NONE;
}

int
main(void)
{
	Suite *suite = suite_create("listener");
	TCase *tests = tcase_create("sockets");

	tcase_add_checked_fixture(tests, set_up, NULL);
	LOOP(tests, every_socket_has_the_options, options);
	LOOP(tests, refused_option_stops_no_start_that_can_do_without, refusals);
	tcase_add_test(tests, port_in_use_is_never_shared);
	LOOP(tests, loops_that_poll_share_the_connections, counts);
	suite_add_tcase(suite, tests);
	return support_run(suite);
}
