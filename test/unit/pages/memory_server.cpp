// See memory_server.h. The functions have the server's names and meanings; what a test never comes
// to ends the program.

#include "memory_server.h"

#include <csetjmp>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "hnsw/options.h"
#include "pg/compat.h"

extern "C" {
#include "access/generic_xlog.h"
#include "commands/vacuum.h"
#include "miscadmin.h"
#include "storage/buf_internals.h"
#include "storage/bufmgr.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "storage/smgr.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
}

namespace vext::test {

namespace {

constexpr int kMostBlocks = 4096;

[[noreturn]] void
fail(const char* what) {
    std::fprintf(stderr, "the server's rules are broken: %s\n", what);
    std::abort();
}

// What ended a body that was run.
enum class End { kDone, kError, kCrash, kBlocked };

struct HeavyLock {
    uint32 tag;  // of the tags of one relation, the number that differs
    LOCKMODE mode;
    bool is_between;  // of the backend that comes in between
};

// What an abort gives back.
struct Held {
    std::vector<int> pins = std::vector<int>(kMostBlocks);
    std::vector<int> locks = std::vector<int>(kMostBlocks);  // modes
    std::set<BlockNumber> locked;
    std::vector<HeavyLock> heavy;
};

struct State {
    RelationData relation = {};
    FormData_pg_class form = {};
    SMgrRelationData storage = {};

    BlockNumber n_blocks = 0;
    Held held;

    std::size_t n_records = 0;
    std::size_t most_records = SIZE_MAX;
    std::set<BlockNumber> free_pages;
    std::function<void()> between;
    bool is_between = false;

    sigjmp_buf* landing = nullptr;
    End end = End::kDone;
    int level = 0;
    ServerError error;

    // By context; the null context stands for the top one.
    std::map<MemoryContext, std::vector<void*>> memory;
};

State* state = nullptr;
std::vector<std::unique_ptr<MemoryContextData>> contexts;

void
jump(End end) {
    if (state->landing == nullptr)
        fail(("an error outside of run(): " + state->error.message).c_str());
    state->end = end;
    siglongjmp(*state->landing, 1);
}

End
run_body(const std::function<void()>& body) {
    sigjmp_buf landing;
    sigjmp_buf* const outer = state->landing;
    MemoryContext const context = CurrentMemoryContext;
    const Held held = state->held;
    const bool is_between = state->is_between;
    state->landing = &landing;
    state->end = End::kDone;
    if (sigsetjmp(landing, 0) == 0)
        body();
    state->landing = outer;
    if (state->end != End::kDone) {
        state->held = held;
        state->is_between = is_between;
        CurrentMemoryContext = context;
        CritSectionCount = 0;
    }
    return state->end;
}

// A backend that comes in between.
void
run_between() {
    const std::size_t n_heavy = state->held.heavy.size();
    state->is_between = true;
    const End end = run_body(state->between);
    state->is_between = false;
    state->end = End::kDone;
    if (end == End::kError)
        fail(state->error.message.c_str());
    if (state->held.heavy.size() != n_heavy)
        fail("a heavyweight lock was not given back");
}

BlockNumber
block_of(Buffer buffer) {
    if (buffer < 1 || static_cast<BlockNumber>(buffer) > state->n_blocks)
        fail("a buffer that was never given");
    return static_cast<BlockNumber>(buffer - 1);
}

void*
allocate(MemoryContext context, Size n_bytes) {
    void* block = std::malloc(n_bytes);
    state->memory[context].push_back(block);
    return block;
}

void
free_all(MemoryContext context) {
    for (void* block : state->memory[context])
        std::free(block);
    state->memory.erase(context);
}

}  // namespace

MemoryServer::MemoryServer() {
    if (state != nullptr)
        fail("two servers at once");
    state = new State;
    NBuffers = kMostBlocks;
    BufferBlocks =
        static_cast<char*>(std::aligned_alloc(BLCKSZ, std::size_t{kMostBlocks} * BLCKSZ));
    contexts.push_back(std::make_unique<MemoryContextData>());
    TopMemoryContext = CurrentMemoryContext = contexts.back().get();
    std::snprintf(NameStr(state->form.relname), NAMEDATALEN, "index");
    // A temporary relation has no hints where its pages are, and no lock on extending it.
    state->form.relpersistence = RELPERSISTENCE_TEMP;
    state->relation.rd_rel = &state->form;
    state->relation.rd_smgr = &state->storage;
    state->relation.rd_backend = 1;
    state->storage.smgr_targblock = InvalidBlockNumber;
}

MemoryServer::~MemoryServer() {
    if (n_held() != 0)
        fail("locks or pins are left");
    while (!state->memory.empty())
        free_all(state->memory.begin()->first);
    contexts.clear();
    std::free(BufferBlocks);
    delete state;
    state = nullptr;
}

Relation
MemoryServer::relation() {
    return &state->relation;
}

std::uint8_t*
MemoryServer::page(BlockNumber block) {
    return reinterpret_cast<std::uint8_t*>(BufferBlocks) + std::size_t{block} * BLCKSZ;
}

BlockNumber
MemoryServer::n_blocks() const {
    return state->n_blocks;
}

std::size_t
MemoryServer::n_records() const {
    return state->n_records;
}

std::optional<ServerError>
MemoryServer::run(const std::function<void()>& body) {
    if (run_body(body) == End::kError)
        return state->error;
    return std::nullopt;
}

bool
MemoryServer::run_until_record(std::size_t n, const std::function<void()>& body) {
    state->most_records = state->n_records + n;
    const End end = run_body(body);
    state->most_records = SIZE_MAX;
    if (end == End::kError)
        fail(state->error.message.c_str());
    return end == End::kCrash;
}

void
MemoryServer::set_between(std::function<void()> other) {
    state->between = std::move(other);
}

std::size_t
MemoryServer::n_held() const {
    std::size_t n = state->held.locked.size() + state->held.heavy.size();
    for (const int n_pins : state->held.pins)
        n += static_cast<std::size_t>(n_pins);
    return n;
}

}  // namespace vext::test

// Of hnsw/options.cpp, whose settings the server would define.
bool vext::hnsw::setting_glance_reads = false;

using vext::test::End;
using vext::test::fail;
using vext::test::state;

extern "C" {

// Variables of the server.
char* BufferBlocks = nullptr;
Block* LocalBufferBlockPointers = nullptr;
BufferDescPadded* BufferDescriptors = nullptr;
int NBuffers = 0;
bool VacuumCostActive = false;
int VacuumCostBalance = 0;
int VacuumCostPageHit = 0;
volatile sig_atomic_t InterruptPending = false;
volatile uint32 CritSectionCount = 0;
MemoryContext CurrentMemoryContext = nullptr;
MemoryContext TopMemoryContext = nullptr;
#if PG_VERSION_NUM < 180000
int64 VacuumPageHit = 0;
#endif
#if PG_VERSION_NUM < 170000
int old_snapshot_threshold = -1;

void
TestForOldSnapshot_impl(Snapshot, Relation) {
    fail("no snapshot is at risk");
}
#endif

// Buffers.

Buffer
ReadBufferExtended(Relation, ForkNumber, BlockNumber block, ReadBufferMode mode,
                   BufferAccessStrategy) {
    if (block == P_NEW) {
        if (state->n_blocks == vext::test::kMostBlocks)
            fail("the file is full");
        block = state->n_blocks++;
        std::memset(BufferBlocks + std::size_t{block} * BLCKSZ, 0, BLCKSZ);
    }
    if (block >= state->n_blocks)
        fail("a page beyond the end of the file");
    ++state->held.pins[block];
    const auto buffer = static_cast<Buffer>(block + 1);
    if (mode == RBM_ZERO_AND_LOCK)
        LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
    return buffer;
}

void
ReleaseBuffer(Buffer buffer) {
    if (--state->held.pins[vext::test::block_of(buffer)] < 0)
        fail("a pin was given back twice");
}

void
LockBuffer(Buffer buffer, int mode) {
    const BlockNumber block = vext::test::block_of(buffer);
    if (state->held.pins[block] == 0)
        fail("a page was locked without a pin");
    if (state->held.locked.empty() && state->between && !state->is_between)
        vext::test::run_between();
    if (state->held.locks[block] != 0)
        fail("a page was locked twice");
    if (!state->held.locked.empty() && *state->held.locked.rbegin() > block)
        fail("pages were not locked in ascending order");
    state->held.locks[block] = mode;
    state->held.locked.insert(block);
}

void
UnlockReleaseBuffer(Buffer buffer) {
    const BlockNumber block = vext::test::block_of(buffer);
    if (state->held.locks[block] == 0)
        fail("a page was unlocked that was not locked");
    state->held.locks[block] = 0;
    state->held.locked.erase(block);
    ReleaseBuffer(buffer);
}

void
MarkBufferDirty(Buffer buffer) {
    if (state->held.locks[vext::test::block_of(buffer)] != BUFFER_LOCK_EXCLUSIVE)
        fail("a page was changed without an exclusive lock");
}

bool
ReadRecentBuffer(vext::pg::FileLocator, ForkNumber, BlockNumber, Buffer) {
    return false;
}

// The relation has its storage open from the start.
#if PG_VERSION_NUM >= 170000
SMgrRelation
smgropen(RelFileLocator, ProcNumber) {
    fail("storage was opened");
}

void
smgrpin(SMgrRelation) {
}
#else
SMgrRelation
smgropen(vext::pg::FileLocator, BackendId) {
    fail("storage was opened");
}

void
smgrsetowner(SMgrRelation*, SMgrRelation) {
}
#endif

BlockNumber
RelationGetNumberOfBlocksInFork(Relation, ForkNumber) {
    return state->n_blocks;
}

XLogRecPtr
log_newpage_buffer(Buffer, bool) {
    fail("an init fork was written");
}

// WAL: a record's pages are changed aside, and put in place when it is finished.

struct GenericXLogState {
    struct Changed {
        BlockNumber block;
        alignas(MAXIMUM_ALIGNOF) char page[BLCKSZ];
    };
    int n = 0;
    Changed changed[MAX_GENERIC_XLOG_PAGES];
};

GenericXLogState*
GenericXLogStart(Relation) {
    return new GenericXLogState;
}

Page
GenericXLogRegisterBuffer(GenericXLogState* record, Buffer buffer, int) {
    MarkBufferDirty(buffer);
    if (record->n == MAX_GENERIC_XLOG_PAGES)
        fail("too many pages in a record");
    auto& changed = record->changed[record->n++];
    changed.block = vext::test::block_of(buffer);
    std::memcpy(changed.page, BufferBlocks + std::size_t{changed.block} * BLCKSZ, BLCKSZ);
    return changed.page;
}

XLogRecPtr
GenericXLogFinish(GenericXLogState* record) {
    const bool is_crash = state->n_records == state->most_records;
    for (int i = 0; i < record->n && !is_crash; ++i) {
        // What lies between the header's two bounds is not logged.
        char* page = record->changed[i].page;
        const auto* header = reinterpret_cast<const PageHeaderData*>(page);
        if (header->pd_lower > header->pd_upper || header->pd_upper > BLCKSZ)
            fail("a page header is not in order");
        std::memset(page + header->pd_lower, 0, header->pd_upper - header->pd_lower);
        std::memcpy(BufferBlocks + std::size_t{record->changed[i].block} * BLCKSZ, page, BLCKSZ);
    }
    delete record;
    if (is_crash)
        vext::test::jump(End::kCrash);
    ++state->n_records;
    return 0;
}

// Errors.

bool
errstart(int level, const char*) {
    state->level = level;
    state->error = {};
    if (level >= ERROR && !state->held.locked.empty() && CritSectionCount > 0)
        fail("an error in a critical section");
    return true;
}

bool
errstart_cold(int level, const char* domain) {
    return errstart(level, domain);
}

int
errcode(int code) {
    for (int i = 0; i < 5; ++i, code >>= 6)
        state->error.sqlstate += PGUNSIXBIT(code);
    return 0;
}

int
errmsg(const char* format, ...) {
    char text[512];
    std::va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    state->error.message = text;
    return 0;
}

int
errdetail(const char*, ...) {
    return 0;
}

int
errhint(const char*, ...) {
    return 0;
}

void
errfinish(const char*, int, const char*) {
    if (state->level >= ERROR)
        vext::test::jump(End::kError);
}

void
ProcessInterrupts(void) {
    if (!state->held.locked.empty())
        fail("interrupts were looked for under a lock");
}

#if PG_VERSION_NUM >= 180000
void
vacuum_delay_point(bool) {
#else
void
vacuum_delay_point(void) {
#endif
    ProcessInterrupts();
}

// Memory.

void*
palloc(Size n_bytes) {
    return vext::test::allocate(CurrentMemoryContext, n_bytes);
}

void*
palloc0(Size n_bytes) {
    return std::memset(palloc(n_bytes), 0, n_bytes);
}

void*
MemoryContextAlloc(MemoryContext context, Size n_bytes) {
    return vext::test::allocate(context, n_bytes);
}

void*
MemoryContextAllocHuge(MemoryContext context, Size n_bytes) {
    return vext::test::allocate(context, n_bytes);
}

void*
MemoryContextAllocZero(MemoryContext context, Size n_bytes) {
    return std::memset(vext::test::allocate(context, n_bytes), 0, n_bytes);
}

// Goes with its context.
void
pfree(void*) {
}

MemoryContext
AllocSetContextCreateInternal(MemoryContext, const char*, Size, Size, Size) {
    vext::test::contexts.push_back(std::make_unique<MemoryContextData>());
    return vext::test::contexts.back().get();
}

void
MemoryContextDelete(MemoryContext context) {
    vext::test::free_all(context);
}

void
MemoryContextSetParent(MemoryContext, MemoryContext) {
}

void
MemoryContextRegisterResetCallback(MemoryContext, MemoryContextCallback*) {
}

// The free-space map.

BlockNumber
GetPageWithFreeSpace(Relation, Size) {
    return state->free_pages.empty() ? InvalidBlockNumber : *state->free_pages.begin();
}

void
RecordPageWithFreeSpace(Relation, BlockNumber block, Size) {
    state->free_pages.insert(block);
}

BlockNumber
RecordAndGetPageWithFreeSpace(Relation relation, BlockNumber block, Size, Size needed) {
    state->free_pages.erase(block);
    return GetPageWithFreeSpace(relation, needed);
}

void
FreeSpaceMapVacuumRange(Relation, BlockNumber, BlockNumber) {
}

// Heavyweight locks.

LockAcquireResult
LockAcquire(const LOCKTAG* tag, LOCKMODE mode, bool, bool) {
    if (!state->held.locked.empty())
        fail("a heavyweight lock was waited for under a page's lock");
    for (const vext::test::HeavyLock& lock : state->held.heavy)
        if (lock.is_between != state->is_between && lock.tag == tag->locktag_field4 &&
            (lock.mode == ExclusiveLock || mode == ExclusiveLock))
            vext::test::jump(End::kBlocked);
    state->held.heavy.push_back({tag->locktag_field4, mode, state->is_between});
    return LOCKACQUIRE_OK;
}

bool
LockRelease(const LOCKTAG* tag, LOCKMODE mode, bool) {
    auto& heavy = state->held.heavy;
    for (auto lock = heavy.end(); lock != heavy.begin();)
        if ((--lock)->tag == tag->locktag_field4 && lock->mode == mode) {
            heavy.erase(lock);
            return true;
        }
    fail("a heavyweight lock was given back that was not held");
}

void
LockRelationForExtension(Relation, LOCKMODE) {
}

void
UnlockRelationForExtension(Relation, LOCKMODE) {
}

}  // extern "C"
