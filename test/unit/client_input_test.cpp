// Inputs: pieces hold whole rows wherever the file is cut, and damaged files say what is wrong.

#include "input/open.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "error.h"
#include "input/copy_binary.h"
#include "input/jsonl.h"
#include "input/lines.h"
#include "input/vector_field.h"
#include "load/encoder.h"

namespace {

using namespace vext::client;

std::span<const std::uint8_t>
bytes_of(const std::string& text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::unique_ptr<PeekSource>
source_of(const std::string& text) {
    return std::make_unique<PeekSource>(memory_source(bytes_of(text)));
}

struct Seen {
    std::uint64_t number;
    std::uint64_t line;
    std::vector<std::string> fields;
    std::string problem;
};

/// Rows of an input; NULL is "NULL".
std::vector<Seen>
rows_of(Input& input) {
    std::vector<Seen> seen;
    const std::unique_ptr<RowDecoder> decoder = input.make_decoder();
    Piece piece;
    std::uint64_t n_rows = 0;
    while (input.next(piece)) {
        EXPECT_EQ(piece.first_row, n_rows + 1);
        n_rows += piece.n_rows;
        decoder->decode(piece, [&](const Row& row) {
            Seen one = {row.number, row.line, {}, row.problem ? row.problem->message : ""};
            if (!row.problem)
                for (const Field& field : row.fields)
                    one.fields.push_back(field.kind == Field::Kind::kNull ? "NULL"
                                         : field.kind == Field::Kind::kVector
                                             ? vector_to_text(field.vector)
                                             : std::string(field.text));
            seen.push_back(std::move(one));
        });
    }
    EXPECT_EQ(seen.size(), n_rows);
    return seen;
}

TEST(Csv, SplitsQuotesNewlinesAndNulls) {
    const std::string text =
        "\xef\xbb\xbfid,title,v\r\n1,\"a \"\"b\"\", "
        "c\",\"[1,2]\"\r\n2,,\"[3,\n4]\"\r\n\r\n3,\"\",x\"y\"z\n4,last,5";
    const auto input = open_csv(source_of(text), "a.csv", {});
    ASSERT_EQ(input->columns().size(), 3U);
    EXPECT_EQ(input->columns()[0].name, "id");
    EXPECT_EQ(input->columns()[2].n_dims, 2U);
    const std::vector<Seen> rows = rows_of(*input);
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(rows[0].fields, (std::vector<std::string>{"1", "a \"b\", c", "[1,2]"}));
    EXPECT_EQ(rows[1].fields, (std::vector<std::string>{"2", "NULL", "[3,\n4]"}));
    EXPECT_EQ(rows[1].line, 3U);
    EXPECT_EQ(rows[2].fields, (std::vector<std::string>{"3", "", "xyz"}));
    EXPECT_EQ(rows[2].line, 6U);
    EXPECT_EQ(rows[3].fields, (std::vector<std::string>{"4", "last", "5"}));
}

TEST(Csv, TellsBadRows) {
    const auto input = open_csv(source_of("a,b\n1,2\n3\n4,5,6\n7,\"8\n"), "a.csv", {});
    const std::vector<Seen> rows = rows_of(*input);
    ASSERT_EQ(rows.size(), 4U);
    EXPECT_EQ(rows[1].problem, "expected 2 fields, found 1");
    EXPECT_EQ(rows[2].problem, "expected 2 fields, found 3");
    EXPECT_EQ(rows[3].problem, "unterminated CSV quoted field");
    EXPECT_THROW(open_csv(source_of("a,a\n"), "a.csv", {}), InputError);
    EXPECT_THROW(open_csv(source_of(""), "a.csv", {}), InputError);
    EXPECT_THROW(open_csv(source_of(std::string("\xff\xfe"
                                                "a\0",
                                                4)),
                          "a.csv", {}),
                 InputError);
}

/// Rows of all lengths around the size of a piece come out whole and in order.
TEST(Csv, CutsPiecesAtRows) {
    std::string text = "id,v\n";
    std::size_t n_rows = 0;
    for (std::size_t length : {std::size_t{10}, kPieceBytes - 7, kPieceBytes, kPieceBytes + 1,
                               std::size_t{1}, 3 * kPieceBytes, std::size_t{5}}) {
        text += std::to_string(n_rows++) + ",\"" + std::string(length, 'x') + "\n\"\n";
    }
    const auto input = open_csv(source_of(text), "a.csv", {});
    const std::vector<Seen> rows = rows_of(*input);
    ASSERT_EQ(rows.size(), n_rows);
    for (std::size_t i = 0; i < n_rows; ++i) {
        EXPECT_EQ(rows[i].fields[0], std::to_string(i));
        EXPECT_EQ(rows[i].number, i + 1);
        EXPECT_EQ(rows[i].line, 2 + 2 * i);
    }
    EXPECT_EQ(rows[5].fields[1].size(), 3 * kPieceBytes + 1);
}

TEST(Csv, RefusesRowsWithoutAnEnd) {
    const std::string text = "id,v\n1,\"" + std::string(kMaxRowBytes + 3 * kPieceBytes, 'x');
    EXPECT_THROW(open_csv(source_of(text), "a.csv", {}), InputError);
}

TEST(Jsonl, ReadsMembers) {
    const auto input = open_jsonl(
        source_of("{\"id\": 1, \"v\": [1, 2.5], \"t\": \"a\\n\\u00e9\", \"o\": {\"x\": [1]}}\n\n"
                  "{\"id\":2,\"v\":null}\r\n"),
        "a.jsonl");
    ASSERT_EQ(input->columns().size(), 4U);
    EXPECT_EQ(input->columns()[1].n_dims, 2U);
    EXPECT_TRUE(input->columns()[3].is_object);
    const std::vector<Seen> rows = rows_of(*input);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].fields,
              (std::vector<std::string>{"1", "[1, 2.5]", "a\n\xc3\xa9", "{\"x\": [1]}"}));
    EXPECT_EQ(rows[1].fields, (std::vector<std::string>{"2", "NULL", "NULL", "NULL"}));
    EXPECT_EQ(rows[1].line, 3U);
}

TEST(Jsonl, TellsBadRows) {
    const std::pair<const char*, const char*> cases[] = {
        {"[1]", "expected an object"},
        {"{\"a\":1", "expected a comma or the end of the object"},
        {"{\"a\":1} x", "expected the end of the line"},
        {"{\"a\":NaN}", "NaN and Infinity are no JSON"},
        {"{\"a\":\"x", "a string that does not end"},
        {"{\"a\":\"\\q\"}", "a string with a bad escape"},
        {"{\"a\":{\"b\":}}", "an array or object that is none"},
        {"{\"a\":[{}", "an array or object that does not end"},
        {"{\"a\":1,\"a\":2}", "the field \"a\" is there twice"},
        {"{\"a\" 1}", "expected a colon"},
        {"{\"a\":}", "expected a value"},
        {"{\"b\":1}", "the field \"b\" is in none of the first rows"},
    };
    for (const auto& [line, message] : cases) {
        // The first piece ends after the good row, so that "b" is not known.
        const std::string padding(kPieceBytes - 8, ' ');
        const auto input =
            open_jsonl(source_of("{\"a\":0}" + padding + "\n" + line + "\n"), "a.jsonl");
        const std::vector<Seen> rows = rows_of(*input);
        ASSERT_EQ(rows.size(), 2U) << line;
        EXPECT_NE(rows[1].problem.find(message), std::string::npos)
            << line << ": " << rows[1].problem;
    }
}

TEST(CopyBinary, ReadsAndJudges) {
    std::string good(reinterpret_cast<const char*>(copy_header().data()), copy_header().size());
    const std::string header = good;
    const std::string row("\0\2\0\0\0\1a\xff\xff\xff\xff", 11);
    good += row + row + "\xff\xff";
    const auto input = open_copy_binary(source_of(good), "a.copy");
    const std::vector<Seen> rows = rows_of(*input);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].fields, (std::vector<std::string>{"a", "NULL"}));
    for (const std::string& bad : {header + row, header + row + "\xff\xffx", header.substr(0, 15),
                                   header + std::string("\0\2\0\0\0\1a", 7), std::string("PGCOPX"),
                                   header + row + std::string("\0\1\0\0\0\1a\xff\xff", 9),
                                   header + std::string("\0\1\x80\0\0\0\xff\xff", 8)}) {
        const auto read = [&] {
            const auto damaged = open_copy_binary(source_of(bad), "a.copy");
            rows_of(*damaged);
        };
        EXPECT_THROW(read(), InputError);
    }
}

TEST(Fixed, JudgesSizes) {
    std::string vecs;
    for (int i = 0; i < 3; ++i) {
        const std::int32_t n_dims = 2;
        const float values[] = {1, static_cast<float>(i)};
        vecs.append(reinterpret_cast<const char*>(&n_dims), 4);
        vecs.append(reinterpret_cast<const char*>(values), 8);
    }
    const std::vector<Seen> rows =
        rows_of(*open_vecs(source_of(vecs), "a.fvecs", Element::kF32, {}));
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[2].fields[0], "[1,2]");
    EXPECT_THROW(open_vecs(source_of(vecs + "x"), "a.fvecs", Element::kF32, {}), InputError);
    vecs[12] = 3;
    const auto read = [&] { rows_of(*open_vecs(source_of(vecs), "a.fvecs", Element::kF32, {})); };
    EXPECT_THROW(read(), InputError);
    InputOptions options;
    options.dimension = 3;
    EXPECT_THROW(open_f32(source_of("12345678"), "/nonexistent/a.f32", options), InputError);
    EXPECT_THROW(open_f32(source_of("12345678"), "/nonexistent/a.f32", {}), UsageError);
}

TEST(VectorReader, TakesTheSpellingsAndNamesOthers) {
    VectorReader reader;
    EXPECT_EQ(vector_to_text(reader.read(" {1,2.5} ").values), "[1,2.5]");
    EXPECT_EQ(vector_to_text(reader.read("[1, 2]").values), "[1,2]");
    const std::pair<const char*, const char*> cases[] = {{"[0.1 0.2]", "how NumPy prints"},
                                                         {"[[1,2]]", "a list of lists"},
                                                         {"[\"1\"]", "strings"},
                                                         {"", "invalid input syntax"},
                                                         {"[NaN]", "NaN"},
                                                         {"[]", "at least 1 dimension"},
                                                         {"[1e50]", "out of range"}};
    for (const auto& [text, message] : cases) {
        const VectorReader::Outcome read = reader.read(text);
        ASSERT_TRUE(read.problem) << text;
        EXPECT_NE(read.problem->message.find(message), std::string::npos) << read.problem->message;
    }
    EXPECT_LT(reader.read(std::string(100000, 'x')).problem->message.size(), 250U);
    const float bad[] = {1, INFINITY};
    EXPECT_EQ(judge_vector(bad, 2)->message, "infinite value not allowed in vector (element 2)");
    EXPECT_EQ(judge_vector(bad, 3)->message, "expected 3 dimensions, not 2");
}

TEST(Utf8, IsThatOfTheServer) {
    for (const char* good : {"", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"})
        EXPECT_TRUE(is_utf8(good)) << good;
    for (const char* bad :
         {"\x80", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80"})
        EXPECT_FALSE(is_utf8(bad));
    EXPECT_FALSE(is_utf8(std::string_view("\0", 1)));
}

std::string
gzip(const std::string& text) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    std::string out(text.size() + 100, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_FINISH);
    out.resize(out.size() - stream.avail_out);
    deflateEnd(&stream);
    return out;
}

std::string
zstd(const std::string& text) {
    std::string out(ZSTD_compressBound(text.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
    return out;
}

std::string
read_all(ByteSource& source) {
    std::string all;
    std::uint8_t buffer[777];
    while (const std::size_t n = source.read(buffer))
        all.append(reinterpret_cast<const char*>(buffer), n);
    return all;
}

TEST(Compressed, ReadsMembersAndFramesAndRefusesTornOnes) {
    std::string text;
    for (int i = 0; i < 100000; ++i)
        text += std::to_string(i * 7919 % 10007);
    for (const auto& [open, compressed] :
         {std::pair{&gzip_source, gzip(text)}, std::pair{&zstd_source, zstd(text)}}) {
        EXPECT_EQ(read_all(*open(memory_source(bytes_of(compressed)), "a")), text);
        EXPECT_EQ(read_all(*open(memory_source(bytes_of(compressed + compressed)), "a")),
                  text + text);
        for (const std::size_t n : {compressed.size() - 1, compressed.size() / 2, std::size_t{5}}) {
            const auto torn = open(memory_source(bytes_of(compressed.substr(0, n))), "a");
            EXPECT_THROW(read_all(*torn), InputError) << n;
        }
        std::string damaged = compressed;
        damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
        EXPECT_THROW(read_all(*open(memory_source(bytes_of(damaged + "x")), "a")), InputError);
    }
}

TEST(ByteSource, ReadsNothingIntoNothing) {
    const auto source = source_of("abc");
    EXPECT_EQ(source->peek(2).size(), 2u);
    EXPECT_EQ(source->read({}), 0u);
    EXPECT_EQ(read_all(*source), "abc");
}

TEST(Encoding, BecomesUtf8AcrossBuffers) {
    std::string latin;
    std::string utf8;
    for (int i = 0; i < 50000; ++i) {
        latin += i % 3 == 0 ? "\xe9" : "x";
        utf8 += i % 3 == 0 ? "\xc3\xa9" : "x";
    }
    EXPECT_EQ(read_all(*utf8_source(memory_source(bytes_of(latin)), "LATIN1", "a")), utf8);
    EXPECT_EQ(read_all(*utf8_source(memory_source(bytes_of(latin)), "WIN1252", "a")), utf8);
    EXPECT_THROW(read_all(*utf8_source(memory_source(bytes_of(utf8 + "\xff")), "EUC_JP", "a")),
                 InputError);
    EXPECT_THROW(utf8_source(memory_source({}), "NO_SUCH", "a"), UsageError);
}

TEST(Ranges, AreFound) {
    const std::vector<RowRange> ranges = {{1, 3}, {10, 1}};
    for (const auto& [row, is_in] :
         {std::pair{1, true}, {3, true}, {4, false}, {10, true}, {11, false}})
        EXPECT_EQ(is_covered(ranges, static_cast<std::uint64_t>(row)), is_in) << row;
}

}  // namespace
