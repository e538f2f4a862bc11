//! Every bound of the core, by name, with its unit and why it is what it is.
//!
//! Knows nothing of who enforces it: fields are checked at the border, the rest in `decide`.

/// Longest id of a task, agent, namespace or request, in bytes: room for any UUID, URN or path-like id.
pub const ID_BYTES_MAX: usize = 256;
/// Longest description of a task, in bytes.
pub const DESCRIPTION_BYTES_MAX: usize = 16 * 1024;
/// Longest reason of a hand-off, outcome of a task or note of its progress, in bytes.
pub const REASON_BYTES_MAX: usize = 4 * 1024;
/// Largest metadata that a task may have, in bytes as [`crate::Value::size`] counts them.
pub const METADATA_BYTES_MAX: usize = 256 * 1024;
/// Largest context that a hand-off may carry, in bytes of its texts.
pub const CONTEXT_BYTES_MAX: usize = 256 * 1024;
/// Most items of one list of a context.
pub const CONTEXT_ITEMS_MAX: usize = 1_000;
/// Largest single update of an agent's state, in bytes.
pub const STATE_UPDATE_BYTES_MAX: usize = 1024 * 1024;
/// Largest state of an agent, in bytes: it must fit one gRPC message of the usual 4 MiB.
pub const STATE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Most keys at the top of an agent's state: what a transfer may have to touch, key by key.
pub const STATE_KEYS_MAX: usize = 1_024;
/// Deepest nesting of metadata and state, in levels.
pub const VALUE_DEPTH_MAX: usize = 32;

/// Most entries of a task's history that are kept; older ones are only in the log.
pub const TASK_HISTORY_MAX: usize = 10_000;
/// Most changes of an agent's state that are kept; older ones are only in the log.
pub const STATE_HISTORY_MAX: usize = 100;

/// Most completed hand-offs of one task, by the rule `too_many_handoffs`.
pub const HANDOFFS_PER_TASK_MAX: u32 = 32;
/// How many hand-offs, with the one that is judged, the rule `ping_pong` looks at.
pub const PING_PONG_WINDOW: usize = 8;
/// Most hand-offs between the same two agents within [`PING_PONG_WINDOW`].
pub const PING_PONG_MAX: usize = 4;
/// Largest context by the rule `context_size`, in bytes.
pub const RULE_CONTEXT_BYTES_MAX: usize = 64 * 1024;
/// Largest metadata of a task that is handed on, by the rule `metadata_size`, in bytes.
pub const RULE_METADATA_BYTES_MAX: usize = 64 * 1024;
/// Largest state that a hand-off transfers, by the rule `state_size`, in bytes.
pub const RULE_STATE_BYTES_MAX: usize = 1024 * 1024;

/// Tasks that the newest events changed, so many of them, are kept in memory as they are; others are packed, and so are those that rested before
/// one of these events and are changed by no other.
pub const UNPACKED_CHANGES_MAX: usize = 4_096;
/// Largest description and metadata of a task, in bytes together, that the memory of requests copies; larger ones it shares with others.
pub const DESCRIBED_BYTES_COPIED_MAX: usize = 1_024;
/// Most bytes of several requests in one chunk of the memory of requests. What is forgotten leaves memory by whole chunks. Beyond 64 KiB,
/// allocators have far fewer sizes.
pub const REQUEST_CHUNK_BYTES: usize = 64 * 1024;
/// Most bytes of several requests in the first chunk; each has room for twice as much as is in the one before.
pub const REQUEST_CHUNK_BYTES_FIRST: usize = 1024;

/// So many remembered requests are written to a segment, once, instead of to each checkpoint: 1,000,000 of them are 62 segments, and a
/// checkpoint copies no more than this.
pub const REQUEST_SEGMENT_COUNT: usize = 16_384;
/// Fewer of them make a segment if they have so many bytes. Large descriptions and metadata do not count: requests that follow share them, and
/// each segment has its own copy, so smaller segments would only be more copies.
pub const REQUEST_SEGMENT_BYTES: usize = 8 * 1024 * 1024;

/// Entries of so many bytes stand in one part of a segment: what has to be read to tell one of them again.
pub const REQUEST_BLOCK_BYTES: usize = 64 * 1024;

/// How long a request id is remembered unless configured otherwise, in microseconds (24 h).
pub const REQUEST_MEMORY_US: i64 = 86_400_000_000;
/// How many request ids of a namespace are remembered unless configured otherwise.
pub const REQUEST_MEMORY_COUNT: usize = 1_000_000;
