//! Lists the rpcs of the contract, as its descriptors name them, with their counters.
//!
//! Knows their names and shapes. Knows nothing of what they do.

use std::{collections::HashMap, sync::Arc};

use baton_proto::FILE_DESCRIPTOR_SET;
use prost::Message as _;
use prost_types::FileDescriptorSet;

use crate::metrics::{Metrics, RpcMetrics};

/// What the counters call everything that is not of the contract: health, reflection and mistakes.
const FOREIGN: &str = "other";

/// What the transport must know of an rpc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RpcShape {
    /// One answer: bounded by the server's longest deadline.
    Unary,
    /// Many answers: bounded by the caller's deadline alone, and ended by its service when the server stops.
    Streaming,
    /// Not of the contract.
    Foreign,
}

/// One rpc.
#[derive(Debug)]
pub struct Rpc {
    name: String,
    shape: RpcShape,
    metrics: RpcMetrics,
}

impl Rpc {
    /// Service and method, as in `HandoffService/HandOff`; `other` if it is not of the contract.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its shape.
    pub fn shape(&self) -> RpcShape {
        self.shape
    }

    /// Its counters.
    pub fn metrics(&self) -> &RpcMetrics {
        &self.metrics
    }
}

/// All rpcs, by the path of their requests.
#[derive(Debug)]
pub struct Rpcs {
    by_path: HashMap<String, Arc<Rpc>>,
    foreign: Arc<Rpc>,
}

impl Rpcs {
    /// The rpcs of package `baton.v1`, counted in `metrics`.
    pub fn of_contract(metrics: &Arc<Metrics>) -> Self {
        let descriptors =
            FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("the build wrote the descriptors");
        let mut by_path = HashMap::new();
        for file in &descriptors.file {
            for service in &file.service {
                for method in &service.method {
                    let name = format!("{}/{}", service.name(), method.name());
                    let path = format!("/{}.{name}", file.package());
                    let shape = if method.server_streaming() || method.client_streaming() {
                        RpcShape::Streaming
                    } else {
                        RpcShape::Unary
                    };
                    let metrics = metrics.rpc(&name);
                    by_path.insert(path, Arc::new(Rpc { name, shape, metrics }));
                }
            }
        }
        let foreign =
            Rpc { name: FOREIGN.to_owned(), shape: RpcShape::Foreign, metrics: metrics.rpc(FOREIGN) };
        Self { by_path, foreign: Arc::new(foreign) }
    }

    /// The rpc that a request with this path is for.
    pub fn find(&self, path: &str) -> &Arc<Rpc> {
        self.by_path.get(path).unwrap_or(&self.foreign)
    }
}
