# Builds, installs and regression-tests the extension with PGXS.
#   make [PG_CONFIG=...]      make install      make installcheck      make lint
#   make client && make install-client      (vector-bulk, by CMake)
#   make install-vector                     (extensions vector and vector_tools as well)

EXTENSION = vector_ext
MODULE_big = vector_ext

# The extensions' scripts are put together from parts (sql/install/assemble.awk): those of vector, which
# are pgvector's objects, those of vector_tools, which are ours, and those of vector_ext, which are both.
# A part of several types stands once for each, after the type; since= is the version of vector that
# brought the type. Names of ours: PGXS has a VERSION and an INSTALL_SCRIPT itself.
VEXT_VERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" vector_ext.control)
VECTOR_VERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" vector.control)
VECTOR_PARTS = since=0.1.0 type=vector vector_io cast distance vector_functions arith compare aggregate \
	since=0.7.0 type=halfvec vector_io cast distance vector_functions arith compare aggregate \
	halfvec_cast bit \
	type=sparsevec sparsevec_io sparsevec_cast distance sparsevec_functions compare \
	since=0.1.0 ivfflat type=vector ivfflat_classes since=0.7.0 type=halfvec ivfflat_classes ivfflat_bit \
	since=0.5.0 hnsw type=vector hnsw_classes since=0.7.0 type=halfvec hnsw_classes \
	type=sparsevec hnsw_classes hnsw_bit
TOOLS_PARTS = type=vector extras type=halfvec extras helpers tools bulk progress
VEXT_SCRIPT := sql/install/vector_ext--$(VEXT_VERSION).sql
DATA = $(wildcard sql/install/vector_ext--*--*.sql)
DATA_built = $(VEXT_SCRIPT)

# Versions of pgvector from which extension vector can be upgraded.
VECTOR_UPGRADES = $(addprefix 0.1.,0 1 3 4 5 6 7 8) $(addprefix 0.2.,0 1 2 3 4 5 6 7) \
	$(addprefix 0.3.,0 1 2) $(addprefix 0.4.,0 1 2 3 4) $(addprefix 0.5.,0 1) $(addprefix 0.6.,0 1 2) \
	$(addprefix 0.7.,0 1 2 3 4) $(addprefix 0.8.,0 1 2 3 4 5 6)
VECTOR_SCRIPTS = build/install/vector--$(VECTOR_VERSION).sql build/install/vector_tools--$(VEXT_VERSION).sql \
	$(VECTOR_UPGRADES:%=build/install/vector--%--$(VECTOR_VERSION).sql)

SOURCES = $(sort $(wildcard src/*.cpp src/*/*.cpp src/*/*/*.cpp))
OBJS = $(SOURCES:.cpp=.o)

REGRESS = $(shell sed -n 's/^test: //p' sql/schedule)
REGRESS_OPTS = --inputdir=. --outputdir=build/regress --load-extension=vector_ext

# What is set by hand, on the command line or in the environment, comes last: PG_CPPFLAGS,
# PG_CXXFLAGS, OPTFLAGS (as pgvector's), COPT (as the server's own build).
override PG_CPPFLAGS := -Isrc -DNDEBUG -DVEXT_VERSION='"$(VEXT_VERSION)"' $(PG_CPPFLAGS)
override PG_CXXFLAGS := -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics -fvisibility=hidden \
	-fvisibility-inlines-hidden -ffp-contract=off -Wextra -Wno-unused-parameter -Wno-register -Wno-volatile \
	-Wno-missing-field-initializers $(PG_CXXFLAGS) $(OPTFLAGS) $(COPT)
# pgvector's C names are aliases of ours. References within the module stay within: pgvector's own
# library may be in the process, too.
SHLIB_LINK = -Wl,--version-script=build/install/exports.map -Wl,--no-undefined-version -Wl,-Bsymbolic \
	build/install/aliases.ld -lm

# make SANITIZE=1: undefined behaviour, or memory changed beyond an area, ends the server.
ifdef SANITIZE
override PG_CPPFLAGS += -DVEXT_CANARIES
override PG_CXXFLAGS += -fsanitize=undefined -fno-sanitize-recover=undefined
SHLIB_LINK += -fsanitize=undefined
endif

EXTRA_CLEAN = build/regress build/install

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs)
# Before the include, which decides by it whether to make bitcode.
override with_llvm := no
include $(PGXS)

# clang does not know all options of GCC by which the server was built, nor the format attribute of
# its headers, and names the use of volatile there otherwise.
ifneq (,$(findstring clang,$(shell $(CXX) --version)))
override CXXFLAGS += -Wno-unknown-warning-option -Wno-ignored-attributes -Wno-deprecated-volatile
endif

# Kernels: each file has the flags of its CPU level; dispatch.cpp sees to it that none runs elsewhere.
KERNELS = src/core/distance/kernels_
$(KERNELS)scalar.o: override CXXFLAGS += -O3
ifneq (,$(filter x86_64 amd64,$(shell uname -m)))
$(KERNELS)avx2.o: override CXXFLAGS += -O3 -mavx2 -mfma -mf16c -ffp-contract=fast
$(KERNELS)avx512.o: override CXXFLAGS += -O3 -mavx2 -mfma -mavx512f -mavx512cd -mavx512bw \
	-mavx512dq -mavx512vl -mavx512vnni -mprefer-vector-width=512 -ffp-contract=fast
$(KERNELS)avx512_popcount.o: override CXXFLAGS += -O3 -mavx2 -mavx512f -mavx512bw -mavx512vpopcntdq
endif
$(KERNELS)neon.o: override CXXFLAGS += -O3 -ffp-contract=fast

# Tells this build from others where processes of a server meet that may have loaded different ones.
src/hnsw/build/parallel.o: override CPPFLAGS += -DVEXT_BUILD_STAMP=$(shell cat $(SOURCES) $(wildcard src/*/*.h src/*/*/*.h src/*/*/*.inl) | cksum | cut -d' ' -f1)

# Objects depend on every header: the module is small and a stale object costs more than a build.
src/hnsw/build/parallel.o: $(SOURCES)
$(OBJS): $(wildcard src/*.h src/*/*.h src/*/*/*.h src/*/*/*.inl) Makefile
$(shlib): build/install/exports.map build/install/aliases.ld

# pg_regress makes no parent folders.
installcheck: build/regress
build/regress:
	mkdir -p $@

SCRIPT_SOURCES = $(wildcard sql/install/parts/*.sql) sql/install/assemble.awk Makefile
# $(call assemble,WORDS): writes the target from the parts and assignments named.
assemble = awk -f sql/install/assemble.awk $(foreach word,$(1),$(if $(findstring =,$(word)),$(word),sql/install/parts/$(word).sql)) \
	>$@.tmp && mv $@.tmp $@

$(VEXT_SCRIPT): $(SCRIPT_SOURCES)
	$(call assemble,begin $(VECTOR_PARTS) $(TOOLS_PARTS))

build/install/vector--$(VECTOR_VERSION).sql: $(SCRIPT_SOURCES) | build/install
	$(call assemble,c_names=plain begin_vector $(VECTOR_PARTS))

build/install/vector_tools--$(VEXT_VERSION).sql: $(SCRIPT_SOURCES) | build/install
	$(call assemble,begin_tools $(TOOLS_PARTS))

build/install/vector--%--$(VECTOR_VERSION).sql: $(SCRIPT_SOURCES) | build/install
	$(call assemble,c_names=plain after=$* begin_upgrade since=0.1.0 vector_drops $(VECTOR_PARTS) since=0.1.0 vector_alters)

# What the module shows, and the names of extension vector for it.
build/install/aliases.ld: build/install/exports.map
build/install/exports.map: build/install/vector--$(VECTOR_VERSION).sql
	sed -n "s/.*'MODULE_PATHNAME', '\([a-z0-9_]*\)'.*/\1/p" $< | sort -u >build/install/c_names
	sed 's/.*/& = vext_&; pg_finfo_& = pg_finfo_vext_&;/' build/install/c_names >build/install/aliases.ld
	{ echo '{ global: _PG_init; Pg_magic_func; vext_*; pg_finfo_vext_*;' && \
		sed 's/.*/&; pg_finfo_&;/' build/install/c_names && echo 'local: *; };'; } >$@.tmp && mv $@.tmp $@

build/install:
	mkdir -p $@

# Extension vector, in place of pgvector, and vector_tools. A package's files are the package's.
VECTOR_LIBRARY = $(DESTDIR)$(pkglibdir)/vector.so
VECTOR_HEADERS = $(DESTDIR)$(includedir_server)/extension/vector
# With the rest, so that nothing is built as root.
all: $(VECTOR_SCRIPTS)
install: | $(if $(filter install-vector,$(MAKECMDGOALS)),check-package)
check-package:
	@! dpkg -S "$$(realpath -m '$(DESTDIR)$(pkglibdir)')/vector.so" >/dev/null 2>&1 || \
		{ echo '$(VECTOR_LIBRARY) belongs to a package: remove that first' >&2; exit 1; }

install-vector: install
	rm -rf '$(DESTDIR)$(pkglibdir)'/bitcode/vector '$(DESTDIR)$(pkglibdir)'/bitcode/vector.index.bc
	rm -f '$(DESTDIR)$(datadir)'/extension/vector--*.sql '$(DESTDIR)$(datadir)'/extension/vector_tools--*.sql
	$(INSTALL_DATA) vector.control vector_tools.control $(VECTOR_SCRIPTS) '$(DESTDIR)$(datadir)/extension/'
	mkdir -p '$(VECTOR_HEADERS)'
	$(INSTALL_DATA) $(wildcard include/vector/*.h) '$(VECTOR_HEADERS)/'
	ln -sfn vector_ext.so '$(VECTOR_LIBRARY).new' && mv -fT '$(VECTOR_LIBRARY).new' '$(VECTOR_LIBRARY)'

# Where pgvector's package has put its files over ours, what it has not is removed. Of a pgvector that no
# package brought nothing is.
uninstall-vector:
	rm -f '$(DESTDIR)$(datadir)'/extension/vector_tools.control \
		'$(DESTDIR)$(datadir)'/extension/vector_tools--*.sql
	is_owned() { dpkg -S "$$(realpath -m "$$1")" >/dev/null 2>&1; }; \
	if [ "$$(readlink '$(VECTOR_LIBRARY)')" = vector_ext.so ]; then \
		rm -f '$(VECTOR_LIBRARY)' '$(DESTDIR)$(datadir)'/extension/vector.control \
			'$(DESTDIR)$(datadir)'/extension/vector--*.sql; \
		rm -rf '$(VECTOR_HEADERS)'; \
	elif is_owned '$(VECTOR_LIBRARY)'; then \
		for script in '$(DESTDIR)$(datadir)'/extension/vector--*.sql; do \
			is_owned "$$script" || rm -f "$$script"; \
		done; \
	fi

# A link without its library would be left otherwise.
uninstall: uninstall-vector

.PHONY: lint client install-client install-vector check-package uninstall-vector
lint: all
	scripts/lint

# The program vector-bulk, with its manual page and shell completions.
CLIENT_BUILD ?= build/client
BASH_COMPLETIONS ?= $(datadir)/vector_ext/completions/bash
ZSH_COMPLETIONS ?= $(datadir)/vector_ext/completions/zsh
FISH_COMPLETIONS ?= $(datadir)/vector_ext/completions/fish

# Without the flags of the module, which make passes on where the environment had some.
client:
	env -u CXXFLAGS -u CPPFLAGS cmake -S . -B $(CLIENT_BUILD) -DVEXT_CLIENT=ON -DVEXT_TESTS=OFF -DPG_CONFIG=$(PG_CONFIG)
	cmake --build $(CLIENT_BUILD) --target vector-bulk --parallel $$(nproc)

# After `make client`, so that nothing is built as root.
install-client:
	@test -x $(CLIENT_BUILD)/client/cpp/vector-bulk || { echo 'run make client first' >&2; exit 1; }
	mkdir -p '$(DESTDIR)$(bindir)' '$(DESTDIR)$(mandir)/man1' '$(DESTDIR)$(BASH_COMPLETIONS)' \
		'$(DESTDIR)$(ZSH_COMPLETIONS)' '$(DESTDIR)$(FISH_COMPLETIONS)'
	install -m 755 $(CLIENT_BUILD)/client/cpp/vector-bulk '$(DESTDIR)$(bindir)/vector-bulk'
	$(CLIENT_BUILD)/client/cpp/vector-bulk man >'$(DESTDIR)$(mandir)/man1/vector-bulk.1'
	$(CLIENT_BUILD)/client/cpp/vector-bulk completion bash >'$(DESTDIR)$(BASH_COMPLETIONS)/vector-bulk'
	$(CLIENT_BUILD)/client/cpp/vector-bulk completion zsh >'$(DESTDIR)$(ZSH_COMPLETIONS)/_vector-bulk'
	$(CLIENT_BUILD)/client/cpp/vector-bulk completion fish >'$(DESTDIR)$(FISH_COMPLETIONS)/vector-bulk.fish'
