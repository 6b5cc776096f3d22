/* SPDX-License-Identifier: MIT */
/* Chooses the address under which a service is advertised. */
#define _GNU_SOURCE
#include "address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/base/array.h"
#include "lib/base/cleanup.h"
#include "lib/base/err.h"
#include "lib/base/hostname.h"
#include "lib/base/parse.h"

/* An address of either family. */
struct address {
	int family;
	uint8_t bytes[16];
};

struct range {
	struct address first;
	unsigned bits;
};

static const struct range loopbacks[] = {
	{{AF_INET, {127}}, 8},
	{{AF_INET6, {[15] = 1}}, 128},
};

static const struct range link_locals[] = {
	{{AF_INET, {169, 254}}, 16},
	{{AF_INET6, {0xfe, 0x80}}, 10},
};

static const struct range privates[] = {
	{{AF_INET, {10}}, 8},       {{AF_INET, {172, 16}}, 12}, {{AF_INET, {192, 168}}, 16},
	{{AF_INET, {100, 64}}, 10}, {{AF_INET6, {0xfc}}, 7},
};

static void ifaddrs_release(struct ifaddrs **list)
{
	if (*list)
		freeifaddrs(*list);
}

static void addrinfo_release(struct addrinfo **list)
{
	if (*list)
		freeaddrinfo(*list);
}

static unsigned bits_of(int family)
{
	return family == AF_INET ? 32 : 128;
}

static bool in_range(const struct address *a, const struct range *range)
{
	unsigned bytes = range->bits / 8, rest = range->bits % 8;
	unsigned mask = 0xff00u >> rest & 0xff;

	if (a->family != range->first.family || memcmp(a->bytes, range->first.bytes, bytes) != 0)
		return false;
	return rest == 0 || (a->bytes[bytes] & mask) == (range->first.bytes[bytes] & mask);
}

static bool in_any(const struct address *a, const struct range *ranges, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (in_range(a, &ranges[i]))
			return true;
	}
	return false;
}

static bool is_loopback(const struct address *a)
{
	return in_any(a, loopbacks, ARRAY_LEN(loopbacks));
}

static bool is_link_local(const struct address *a)
{
	return in_any(a, link_locals, ARRAY_LEN(link_locals));
}

static bool is_private(const struct address *a)
{
	return in_any(a, privates, ARRAY_LEN(privates));
}

static bool is_any(const struct address *a)
{
	static const uint8_t zero[16];

	return memcmp(a->bytes, zero, sizeof(zero)) == 0;
}

static bool parse_address(const char *s, size_t len, struct address *ret)
{
	struct address a;

	a.family = hostname_family(s, len, a.bytes);
	if (a.family != 0)
		*ret = a;
	return a.family != 0;
}

/* Turns an IPv4-mapped IPv6 address into the IPv4 address. */
static struct address unmapped(struct address a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct address v4 = {.family = AF_INET};

	if (a.family != AF_INET6 || memcmp(a.bytes, mapped, sizeof(mapped)) != 0)
		return a;
	memcpy(v4.bytes, a.bytes + sizeof(mapped), 4);
	return v4;
}

bool address_is_loopback(const char *host)
{
	struct address a = {.family = AF_INET};
	struct in_addr in;

	if (parse_address(host, strlen(host), &a))
		a = unmapped(a);
	else if (inet_aton(host, &in))
		memcpy(a.bytes, &in, sizeof(in));
	else
		return strcasecmp(host, "localhost") == 0;
	return is_loopback(&a) || is_any(&a);
}

static void format_address(const struct address *a, char ret[static ADDRESS_MAX])
{
	if (!inet_ntop(a->family, a->bytes, ret, ADDRESS_MAX))
		ret[0] = '\0';
}

static bool from_sockaddr(const struct sockaddr *sa, struct address *ret)
{
	struct address a = {0};

	if (!sa || (sa->sa_family != AF_INET && sa->sa_family != AF_INET6))
		return false;
	a.family = sa->sa_family;
	if (a.family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		memcpy(a.bytes, &in.sin_addr, 4);
	} else {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		memcpy(a.bytes, &in6.sin6_addr, 16);
	}
	*ret = a;
	return true;
}

/* The conditions for choosing an address of this machine. */
struct choice {
	int family;                /* 0: either */
	const char *interface;     /* NULL: all but loopback */
	const struct range *range; /* NULL: any */
	bool private_only;
};

static bool is_candidate(const struct ifaddrs *ifa, const struct choice *choice,
			 struct address *ret)
{
	if (!(ifa->ifa_flags & IFF_UP) || !from_sockaddr(ifa->ifa_addr, ret))
		return false;
	if (choice->interface && strcmp(choice->interface, ifa->ifa_name) != 0)
		return false;
	if (!choice->interface && !choice->range && is_loopback(ret))
		return false;
	if (choice->family != 0 && choice->family != ret->family)
		return false;
	if (choice->range && !in_range(ret, choice->range))
		return false;
	if (choice->private_only && !is_private(ret))
		return false;
	return !(ret->family == AF_INET6 && is_link_local(ret));
}

static bool choose(const struct ifaddrs *list, const struct choice *choice, struct address *ret)
{
	struct address a = {0};

	for (; list; list = list->ifa_next) {
		if (is_candidate(list, choice, &a)) {
			*ret = a;
			return true;
		}
	}
	return false;
}

/* connect() on a UDP socket sends nothing; it only looks up the route. */
static bool route_source(const struct addrinfo *to, struct address *ret)
{
	CLEANUP(fd) int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage local = {0};
	socklen_t len = sizeof(local);

	if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) < 0)
		return false;
	if (getsockname(fd, (struct sockaddr *)&local, &len) < 0)
		return false;
	return from_sockaddr((struct sockaddr *)&local, ret);
}

static bool route_to_etcd(const struct address_hint *hint, int family, struct address *ret)
{
	CLEANUP(addrinfo) struct addrinfo *list = NULL;
	struct addrinfo wanted = {.ai_family = family, .ai_socktype = SOCK_DGRAM};
	char port[8];

	if (!hint->etcd_host)
		return false;
	snprintf(port, sizeof(port), "%u", hint->etcd_port & 0xffff);
	if (getaddrinfo(hint->etcd_host, port, &wanted, &list) != 0) {
		list = NULL;
		return false;
	}
	for (const struct addrinfo *to = list; to; to = to->ai_next) {
		struct address a;

		if (route_source(to, &a) && !is_loopback(&a) && !is_link_local(&a)) {
			*ret = a;
			return true;
		}
	}
	return false;
}

static bool choose_of_family(const struct ifaddrs *list, const struct address_hint *hint,
			     int family, struct address *ret)
{
	struct choice private = {.family = family, .private_only = true};
	struct choice global = {.family = family};

	return route_to_etcd(hint, family, ret) || choose(list, &private, ret) ||
	       choose(list, &global, ret);
}

static bool takes_family(const struct address_hint *hint, int family)
{
	return hint->family == (unsigned)family || (hint->family == AF_INET6 && !hint->v6only);
}

static int list_interfaces(struct ifaddrs **ret, struct etcdreg_err *err)
{
	if (getifaddrs(ret) == 0)
		return 0;
	*ret = NULL;
	return err_set(err, ETCDREG_E_SYSTEM, "cannot list the interfaces of this machine: %m");
}

static int advertise_any(const struct address_hint *hint, struct address *ret,
			 struct etcdreg_err *err)
{
	static const int families[] = {AF_INET, AF_INET6};
	CLEANUP(ifaddrs) struct ifaddrs *list = NULL;
	int r = list_interfaces(&list, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (takes_family(hint, families[i]) &&
		    choose_of_family(list, hint, families[i], ret))
			return 0;
	}
	return err_set(err, ETCDREG_E_NOTFOUND,
		       "this machine has no %s address that others can reach; "
		       "set ETCD_REGISTRY_HOST",
		       hint->family == AF_INET ? "IPv4"
		       : hint->v6only          ? "IPv6"
					       : "IPv4 or IPv6");
}

static struct address bound_address(const struct address_hint *hint)
{
	struct address a = {.family = (int)hint->family};

	memcpy(a.bytes, hint->bytes, bits_of(a.family) / 8);
	return unmapped(a);
}

static int advertise_bound(const struct address_hint *hint, struct address *ret,
			   struct etcdreg_err *err)
{
	struct address a = bound_address(hint);
	char text[ADDRESS_MAX];

	if (is_any(&a))
		return advertise_any(hint, ret, err);
	format_address(&a, text);
	if (is_loopback(&a))
		return err_set(err, ETCDREG_E_NOTFOUND,
			       "it listens on the loopback address %s; to register it "
			       "nevertheless, set ETCD_REGISTRY_HOST",
			       text);
	if (a.family == AF_INET6 && is_link_local(&a))
		return err_set(err, ETCDREG_E_NOTFOUND,
			       "it listens on the link-local address %s; set "
			       "ETCD_REGISTRY_HOST to another address",
			       text);
	*ret = a;
	return 0;
}

static int advertise_inside(const char *setting, const struct range *range, struct address *ret,
			    struct etcdreg_err *err)
{
	CLEANUP(ifaddrs) struct ifaddrs *list = NULL;
	struct choice inside = {.range = range};
	int r = list_interfaces(&list, err);

	if (r < 0)
		return r;
	if (!choose(list, &inside, ret))
		return err_set(err, ETCDREG_E_NOTFOUND, "no address of this machine is in '%s'",
			       setting);
	return 0;
}

static int advertise_interface(const char *setting, const struct address_hint *hint,
			       struct address *ret, struct etcdreg_err *err)
{
	CLEANUP(ifaddrs) struct ifaddrs *list = NULL;
	struct choice v4 = {.family = AF_INET, .interface = setting};
	struct choice v6 = {.family = AF_INET6, .interface = setting};
	int r = list_interfaces(&list, err);

	if (r < 0)
		return r;
	if ((takes_family(hint, AF_INET) && choose(list, &v4, ret)) ||
	    (takes_family(hint, AF_INET6) && choose(list, &v6, ret)))
		return 0;
	return err_set(err, ETCDREG_E_NOTFOUND,
		       "interface '%s' has no address of the socket's family", setting);
}

static bool parse_range(const char *setting, const char *slash, struct range *ret)
{
	struct range range;
	uint64_t bits;

	if (!parse_address(setting, (size_t)(slash - setting), &range.first) ||
	    !parse_uint(slash + 1, strlen(slash + 1), 0, bits_of(range.first.family), &bits))
		return false;
	range.bits = (unsigned)bits;
	*ret = range;
	return true;
}

/* Sets *ret_name if the setting is a host name, else *ret. */
static int advertise_setting(const char *setting, const struct address_hint *hint,
			     struct address *ret, const char **ret_name, struct etcdreg_err *err)
{
	const char *slash = strchr(setting, '/');
	struct range range;

	if (slash && parse_range(setting, slash, &range))
		return advertise_inside(setting, &range, ret, err);
	if (parse_address(setting, strlen(setting), ret))
		return 0;
	if (!slash && if_nametoindex(setting) != 0)
		return advertise_interface(setting, hint, ret, err);
	if (setting[0] == '-' || !hostname_is_name(setting, strlen(setting)))
		return err_set(err, ETCDREG_E_CONFIG,
			       "'%s' is not an address, host name, interface or CIDR", setting);
	*ret_name = setting;
	return 0;
}

int address_advertise(const char *setting, const struct address_hint *hint,
		      char ret[static ADDRESS_MAX], struct etcdreg_err *err)
{
	const char *name = NULL;
	struct address a = {0};
	int r;

	if (setting[0] != '\0')
		r = advertise_setting(setting, hint, &a, &name, err);
	else
		r = advertise_bound(hint, &a, err);
	if (r < 0)
		return r;
	if (name)
		memcpy(ret, name, strlen(name) + 1);
	else
		format_address(&a, ret);
	return 0;
}

void address_default(const char *etcd_host, unsigned etcd_port, char ret[static ADDRESS_MAX])
{
	static const char loopback[] = "127.0.0.1";
	struct address_hint hint = {
		.family = AF_INET, .etcd_host = etcd_host, .etcd_port = etcd_port};

	if (address_advertise("", &hint, ret, NULL) < 0)
		memcpy(ret, loopback, sizeof(loopback));
}
