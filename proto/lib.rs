//! The contract of Baton, package `baton.v1`, as Rust types, clients and servers.
//!
//! Generated from `proto/baton/v1/*.proto`, whose comments are the documentation. Knows nothing of how the server works.

mod codec;

/// Messages, clients and servers of `baton.v1`.
#[allow(missing_docs, clippy::all, unused_qualifications, unreachable_pub)]
pub mod v1 {
    tonic::include_proto!("baton.v1");
}

/// The descriptors of `baton.v1` and of what it imports, as an encoded `FileDescriptorSet`; gRPC reflection serves them.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/baton_descriptors.bin"));
