// SPDX-License-Identifier: Apache-2.0
// The bytes of an engine file. All numbers are little endian.
//
//   offset  size  header
//        0     8  magic "\x89TENREC\n"
//        8     2  format major: readers refuse a newer one
//       10     2  format minor: readers accept any; new sections and fields are optional
//       12     4  flags, 0
//       16     8  size of the whole file
//       24     4  number of sections
//       28     4  0
//       32     8  offset of the section table (64: right behind the header)
//       40    16  XXH3-128 of header (with these 16 bytes zero) and section table
//       56     8  0
//
//   offset  size  section table, one entry a section
//        0     4  kind (SectionKind)
//        4     4  flags (section_required)
//        8     4  version of the kind
//       12     4  0
//       16     8  offset: a multiple of 4096, behind the table
//       24     8  size in bytes
//       32    16  XXH3-128 of the section's bytes
//
// Sections do not overlap, come in any order and, PLAN and OTHER apart, at most once; several PLANs
// are the profiles in order, each OTHER is a whole engine file of the same model for another target
// or device, next best first and without OTHERs of its own: weights are packed for each target, so
// there is little to share. Gaps are zero. META, IO, PLAN, CODE, SOURCE, WEIGHT_TABLE and GRAPH are
// protobuf messages of the structs in plan.h and engine_file.h. The checksums detect damage, not
// malice: everything is validated as untrusted. Hashes are stored big endian, as Hash128::bytes()
// gives them.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenrec::plan {

constexpr std::string_view file_magic{"\x89TENREC\n", 8};
constexpr uint16_t format_major = 1;
constexpr uint16_t format_minor = 0;
constexpr uint64_t header_size = 64;
constexpr uint64_t table_entry_size = 48;
constexpr uint64_t checksum_offset = 40;
constexpr uint64_t section_alignment = 4096;  // mapped, so weights can be used where they lie
constexpr uint64_t weight_alignment = 64;
constexpr uint32_t max_sections = 65536;
constexpr uint32_t section_required = 1;  // a reader that does not know the kind must refuse

enum class SectionKind : uint32_t {
  meta = 1,          // Meta
  io = 2,            // Io
  plan = 3,          // Plan, one a profile
  code = 4,          // CodeTable: device code; only where a plan has some
  source = 5,        // SourceTable: the texts of the device code, in the same order; optional
  weights = 6,       // bytes of all weights
  weight_table = 7,  // WeightTable: where each weight lies in `weights`
  graph = 8,         // GraphSection: the IR as text and the names of its weights; optional
  debug = 9,         // text for people; optional
  refit = 10,        // reserved
  other = 11,        // an engine file for another target; optional
};

}  // namespace tenrec::plan
