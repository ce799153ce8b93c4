# Builds, installs and regression-tests the extension with PGXS.
#   make [PG_CONFIG=...]      make install      make installcheck      make lint
#   make client && make install-client      (vector-bulk, by CMake)

EXTENSION = vector_ext
MODULE_big = vector_ext

# The install script of this version is put together from its parts; upgrades are files of their own.
# Names of ours: PGXS has a VERSION and an INSTALL_SCRIPT itself.
VEXT_VERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" vector_ext.control)
# A part of several types stands once for each, after the type (sql/install/assemble.awk).
VEXT_DENSE_PARTS = vector_io cast distance vector_functions arith compare aggregate
VEXT_SPARSE_PARTS = sparsevec_io sparsevec_cast distance sparsevec_functions compare
VEXT_PARTS = begin type=vector $(VEXT_DENSE_PARTS) type=halfvec $(VEXT_DENSE_PARTS) helpers \
	halfvec_cast bit type=sparsevec $(VEXT_SPARSE_PARTS) hnsw type=vector hnsw_classes type=halfvec hnsw_classes hnsw_bit \
	tools bulk progress
VEXT_PART_ARGUMENTS = $(foreach part,$(VEXT_PARTS),$(if $(filter type=%,$(part)),$(part),sql/install/parts/$(part).sql))
VEXT_PART_FILES = $(sort $(filter %.sql,$(VEXT_PART_ARGUMENTS)))
VEXT_SCRIPT := sql/install/vector_ext--$(VEXT_VERSION).sql
DATA = $(wildcard sql/install/vector_ext--*--*.sql)
DATA_built = $(VEXT_SCRIPT)

SOURCES = $(sort $(wildcard src/*.cpp src/*/*.cpp src/*/*/*.cpp))
OBJS = $(SOURCES:.cpp=.o)

REGRESS = $(shell sed -n 's/^test: //p' sql/schedule)
REGRESS_OPTS = --inputdir=. --outputdir=build/regress --load-extension=vector_ext

# What is set by hand, on the command line or in the environment, comes last: PG_CPPFLAGS,
# PG_CXXFLAGS, OPTFLAGS (as pgvector's), COPT (as the server's own build).
override PG_CPPFLAGS := -Isrc -DNDEBUG $(PG_CPPFLAGS)
override PG_CXXFLAGS := -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics -fvisibility=hidden \
	-fvisibility-inlines-hidden -ffp-contract=off -Wextra -Wno-unused-parameter -Wno-register -Wno-volatile \
	-Wno-missing-field-initializers $(PG_CXXFLAGS) $(OPTFLAGS) $(COPT)
SHLIB_LINK = -Wl,--version-script=src/exports.map -Wl,--no-undefined-version -lm

# make SANITIZE=1: undefined behaviour, or memory changed beyond an area, ends the server.
ifdef SANITIZE
override PG_CPPFLAGS += -DVEXT_CANARIES
override PG_CXXFLAGS += -fsanitize=undefined -fno-sanitize-recover=undefined
SHLIB_LINK += -fsanitize=undefined
endif

EXTRA_CLEAN = build/regress

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

# Objects depend on every header: the module is small and a stale object costs more than a build.
$(OBJS): $(wildcard src/*.h src/*/*.h src/*/*/*.h src/*/*/*.inl) Makefile
$(shlib): src/exports.map

# pg_regress makes no parent folders.
installcheck: build/regress
build/regress:
	mkdir -p $@

$(VEXT_SCRIPT): $(VEXT_PART_FILES) sql/install/assemble.awk Makefile
	awk -f sql/install/assemble.awk $(VEXT_PART_ARGUMENTS) >$@.tmp && mv $@.tmp $@

.PHONY: lint client install-client
lint: all
	scripts/lint

# The program vector-bulk, with its manual page and shell completions.
CLIENT_BUILD ?= build/client
BASH_COMPLETIONS ?= $(datadir)/vector_ext/completions/bash
ZSH_COMPLETIONS ?= $(datadir)/vector_ext/completions/zsh
FISH_COMPLETIONS ?= $(datadir)/vector_ext/completions/fish

client:
	cmake -S . -B $(CLIENT_BUILD) -DVEXT_CLIENT=ON -DVEXT_TESTS=OFF -DPG_CONFIG=$(PG_CONFIG)
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
