// Opens a file as an Input: finds out compression and format, reads header and companion files.

#pragma once

#include <memory>
#include <string>

#include "input/byte_source.h"
#include "input/element.h"
#include "input/input.h"
#include "input/options.h"

namespace vext::client {

/// `path` "-" is standard input. `ids` names a file of ids, or is empty.
std::unique_ptr<Input> open_input(const std::string& path, const InputOptions& options,
                                  const std::string& ids = {});

/// The formats, each over a source at its first byte; `name` is for errors.
std::unique_ptr<Input> open_npy(std::unique_ptr<PeekSource> source, const std::string& name,
                                const InputOptions& options);
std::unique_ptr<Input> open_f32(std::unique_ptr<PeekSource> source, const std::string& name,
                                const InputOptions& options);
/// `kind` is fvecs, ivecs or bvecs.
std::unique_ptr<Input> open_vecs(std::unique_ptr<PeekSource> source, const std::string& name,
                                 Element element, const InputOptions& options);
std::unique_ptr<Input> open_csv(std::unique_ptr<PeekSource> source, const std::string& name,
                                const InputOptions& options);
std::unique_ptr<Input> open_jsonl(std::unique_ptr<PeekSource> source, const std::string& name);
std::unique_ptr<Input> open_copy_binary(std::unique_ptr<PeekSource> source,
                                        const std::string& name);

/// Adds an id a row, from a file of raw unsigned 64-bit numbers.
std::unique_ptr<Input> with_ids(std::unique_ptr<Input> input, const std::string& ids_path);

/// Converts text to UTF-8; `encoding` is a name of PostgreSQL or iconv.
std::unique_ptr<ByteSource> utf8_source(std::unique_ptr<ByteSource> source,
                                        const std::string& encoding, const std::string& name);

}  // namespace vext::client
