//! Requests that are no messages of the contract, or too large: bytes, as a broken client would send them.

use bytes::{Buf as _, BufMut as _, Bytes};
use prost::Message as _;
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
};

use super::{Asking, Case, nested};
use crate::harness::{Clients, create};

/// Passes bytes on as they are.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, bytes: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(bytes);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

async fn send(clients: Clients, path: &'static str, request: Request<Bytes>) -> Result<(), Status> {
    let mut grpc = Grpc::new(clients.channel);
    grpc.ready().await.expect("the connection stands");
    grpc.unary(request, path.parse().expect("a path"), Raw).await.map(drop)
}

fn case(what: &str, field: &str, path: &'static str, request: Request<Vec<u8>>) -> Case {
    let request = request.map(Bytes::from);
    Case {
        what: what.to_owned(),
        fields: vec![field.to_owned()],
        ask: Box::new(move |clients| -> Asking { Box::pin(send(clients, path, request)) }),
    }
}

const CREATE_TASK: &str = "/baton.v1.TaskService/CreateTask";
const HAND_OFF: &str = "/baton.v1.HandoffService/HandOff";
const UPDATE_STATE: &str = "/baton.v1.StateService/UpdateAgentState";

pub(super) fn cases() -> Vec<Case> {
    // Field 3, a string of two bytes that are not UTF-8.
    let not_utf8 = vec![0x1a, 2, 0xff, 0xfe];
    // Field 3, a string of 100 bytes, of which one is there.
    let cut_short = vec![0x1a, 100, b'x'];
    // Field 3 as a number.
    let wrong_type = vec![0x18, 1];
    let large = |bytes: usize| {
        let description = "x".repeat(bytes);
        baton_proto::v1::CreateTaskRequest { description, ..create("", "t", "a") }.encode_to_vec()
    };
    let deep = baton_proto::v1::CreateTaskRequest { metadata: Some(nested(200)), ..create("", "t", "a") };
    let mut late = Request::new(create("", "t", "a").encode_to_vec());
    late.metadata_mut().insert("grpc-timeout", "soon".parse().expect("ASCII"));
    vec![
        case("not UTF-8", "request", CREATE_TASK, Request::new(not_utf8.clone())),
        case("not UTF-8", "request", HAND_OFF, Request::new(not_utf8.clone())),
        case("not UTF-8", "request", UPDATE_STATE, Request::new(not_utf8)),
        case("cut short", "request", CREATE_TASK, Request::new(cut_short)),
        case("a number for a string", "request", CREATE_TASK, Request::new(wrong_type)),
        case("too large", "request", CREATE_TASK, Request::new(large(4 * 1024 * 1024))),
        case("far too large", "request", CREATE_TASK, Request::new(large(40 * 1024 * 1024))),
        case("deeper than can be decoded", "request", CREATE_TASK, Request::new(deep.encode_to_vec())),
        case("a malformed timeout", "grpc-timeout", CREATE_TASK, late),
    ]
}
