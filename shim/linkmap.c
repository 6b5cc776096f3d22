/* SPDX-License-Identifier: MIT */
/*
 * linkmap.c - looks up symbols as the loader does, in what dl_iterate_phdr() lists.
 *
 * The tables are read through addresses that the loaders of some libcs and architectures have
 * relocated in place and others have not.
 */
#define _GNU_SOURCE
#include "linkmap.h"

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>

#include "text.h"

#pragma weak dl_iterate_phdr
#pragma weak getauxval

#define VERSION_HIDDEN 0x8000              /* in DT_VERSYM: only for who asks for that version */
#define SYMBOL_BINDING(info) ((info) >> 4) /* the same in 32 and 64 bits */
#define SYMBOL_TYPE(info) ((info)&15)

/* The tables of one loaded object; NULL: it has none. */
struct tables {
	const ElfW(Sym) * symbols;
	const char *strings;
	const ElfW(Versym) * versions;
	const uint32_t *gnu_hash;
	const uint32_t *sysv_hash;
};

struct search {
	const char *name;
	bool behind_ours; /* our object has been passed */
	bool is_ifunc;
	ElfW(Addr) found; /* 0: not yet */
};

static bool contains(const struct dl_phdr_info *object, ElfW(Addr) address)
{
	for (ElfW(Half) i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];

		if (segment->p_type == PT_LOAD &&
		    address - (object->dlpi_addr + segment->p_vaddr) < segment->p_memsz)
			return true;
	}
	return false;
}

static bool is_ours(const struct dl_phdr_info *object)
{
	static const char inside;

	return contains(object, (ElfW(Addr)) & inside);
}

static const void *locate(const struct dl_phdr_info *object, ElfW(Addr) address)
{
	if (!contains(object, address))
		address += object->dlpi_addr;
	return contains(object, address) ? (const void *)address : NULL;
}

static const ElfW(Dyn) * dynamic_section(const struct dl_phdr_info *object)
{
	for (ElfW(Half) i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_DYNAMIC)
			return locate(object, object->dlpi_phdr[i].p_vaddr);
	return NULL;
}

static struct tables tables_of(const struct dl_phdr_info *object)
{
	struct tables tables = {0};
	const ElfW(Dyn) *entry = dynamic_section(object);

	for (; entry && entry->d_tag != DT_NULL; entry++) {
		const void *table = locate(object, entry->d_un.d_ptr);

		if (entry->d_tag == DT_SYMTAB)
			tables.symbols = table;
		else if (entry->d_tag == DT_STRTAB)
			tables.strings = table;
		else if (entry->d_tag == DT_VERSYM)
			tables.versions = table;
		else if (entry->d_tag == DT_GNU_HASH)
			tables.gnu_hash = table;
		else if (entry->d_tag == DT_HASH)
			tables.sysv_hash = table;
	}
	return tables;
}

/* Defined for everybody, code, and the version that an unversioned reference gets. */
static bool matches(const struct tables *tables, uint32_t i, const char *name)
{
	const ElfW(Sym) *symbol = &tables->symbols[i];
	unsigned binding = SYMBOL_BINDING(symbol->st_info), type = SYMBOL_TYPE(symbol->st_info);

	if (symbol->st_shndx == SHN_UNDEF || symbol->st_value == 0)
		return false;
	if ((binding != STB_GLOBAL && binding != STB_WEAK) ||
	    (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE))
		return false;
	if (tables->versions && (tables->versions[i] & VERSION_HIDDEN))
		return false;
	return text_equal(tables->strings + symbol->st_name, name);
}

static uint32_t gnu_hash_of(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

/* Buckets, behind a Bloom filter, hold the first symbol of a chain; a chain's end has bit 0 set. */
static const ElfW(Sym) * find_by_gnu_hash(const struct tables *tables, const char *name)
{
	const uint32_t *header = tables->gnu_hash, hash = gnu_hash_of(name);
	uint32_t buckets_len = header[0], first = header[1], filter_len = header[2];
	const uint32_t *buckets = header + 4 + filter_len * (sizeof(ElfW(Addr)) / sizeof(uint32_t));
	const uint32_t *chains = buckets + buckets_len;
	uint32_t i = buckets_len ? buckets[hash % buckets_len] : 0;

	if (i < first)
		return NULL;
	for (;; i++) {
		uint32_t entry = chains[i - first];

		if ((entry | 1) == (hash | 1) && matches(tables, i, name))
			return &tables->symbols[i];
		if (entry & 1)
			return NULL;
	}
}

static uint32_t sysv_hash_of(const char *name)
{
	uint32_t hash = 0;

	for (; *name; name++) {
		hash = (hash << 4) + (unsigned char)*name;
		hash ^= (hash >> 24) & 0xf0;
		hash &= 0x0fffffff;
	}
	return hash;
}

static const ElfW(Sym) * find_by_sysv_hash(const struct tables *tables, const char *name)
{
	const uint32_t *header = tables->sysv_hash;
	uint32_t buckets_len = header[0];
	const uint32_t *buckets = header + 2, *chains = buckets + buckets_len;
	uint32_t i = buckets_len ? buckets[sysv_hash_of(name) % buckets_len] : STN_UNDEF;

	for (; i != STN_UNDEF; i = chains[i])
		if (matches(tables, i, name))
			return &tables->symbols[i];
	return NULL;
}

static const ElfW(Sym) * find_in(const struct tables *tables, const char *name)
{
	if (!tables->symbols || !tables->strings)
		return NULL;
	if (tables->gnu_hash)
		return find_by_gnu_hash(tables, name);
	return tables->sysv_hash ? find_by_sysv_hash(tables, name) : NULL;
}

static int look_behind_ours(struct dl_phdr_info *object, size_t size, void *data)
{
	struct search *search = data;
	const ElfW(Sym) * symbol;
	struct tables tables;

	(void)size;
	if (!search->behind_ours) {
		search->behind_ours = is_ours(object);
		return 0;
	}
	tables = tables_of(object);
	symbol = find_in(&tables, search->name);
	if (!symbol)
		return 0;
	search->is_ifunc = SYMBOL_TYPE(symbol->st_info) == STT_GNU_IFUNC;
	search->found = object->dlpi_addr + symbol->st_value;
	return 1;
}

/* Resolvers take the hardware's capabilities on some architectures, and nothing on others. */
static void *resolve(ElfW(Addr) resolver)
{
	void *(*choose)(unsigned long) = (void *(*)(unsigned long))resolver;

	return choose(getauxval ? getauxval(AT_HWCAP) : 0);
}

void *linkmap_next(const char *name)
{
	struct search search = {.name = name};

	if (!dl_iterate_phdr || !dl_iterate_phdr(look_behind_ours, &search))
		return NULL;
	return search.is_ifunc ? resolve(search.found) : (void *)search.found;
}

static int look_for_ours(struct dl_phdr_info *object, size_t size, void *ret_path)
{
	(void)size;
	if (!is_ours(object))
		return 0;
	*(const char **)ret_path = object->dlpi_name;
	return 1;
}

const char *linkmap_own_path(void)
{
	const char *path = NULL;

	if (dl_iterate_phdr)
		(void)dl_iterate_phdr(look_for_ours, &path);
	return path;
}
