//! Many watchers at once, each reading its own stream. The same client for Baton and for what it is compared with.
//!
//! Knows nothing of who serves the streams.

use baton_proto::v1::WatchHandoffsRequest;
use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message as _;
use tokio::task::JoinSet;
use tonic::{Request, Streaming, client::Grpc, transport::Channel};

use crate::{
    failure::{Failure, While as _},
    raw_codec::RawCodec,
};

/// One who reads a stream.
pub(crate) trait Reader: Send + 'static {
    /// Takes one message; `true` once it has all that it waits for.
    ///
    /// # Errors
    /// The message is not what it must be.
    fn read(&mut self, message: Bytes) -> Result<bool, Failure>;
}

/// Watchers that read.
pub(crate) struct Crowd<R> {
    readers: JoinSet<Result<R, Failure>>,
}

impl<R: Reader> Crowd<R> {
    /// Opens a watch for each reader, on the connections in turn; on return each has begun.
    ///
    /// # Errors
    /// A watch is refused.
    pub(crate) async fn open(
        channels: &[Channel],
        request: &WatchHandoffsRequest,
        readers: Vec<R>,
    ) -> Result<Self, Failure> {
        let request = Bytes::from(request.encode_to_vec());
        let mut opening = JoinSet::new();
        for (reader, channel) in readers.into_iter().zip(channels.iter().cycle()) {
            let (channel, request) = (channel.clone(), request.clone());
            opening.spawn(async move { Ok::<_, Failure>((watch(channel, request).await?, reader)) });
        }
        let mut readers = JoinSet::new();
        while let Some(opened) = opening.join_next().await {
            let (stream, reader) = opened??;
            readers.spawn(read(stream, reader));
        }
        Ok(Self { readers })
    }

    /// Waits until each reader has all that it waits for, and returns them.
    ///
    /// # Errors
    /// A stream ends before, or is not what it must be.
    pub(crate) async fn finish(mut self) -> Result<Vec<R>, Failure> {
        let mut readers = Vec::with_capacity(self.readers.len());
        while let Some(ended) = self.readers.join_next().await {
            readers.push(ended??);
        }
        Ok(readers)
    }
}

/// Opens a watch and waits for its first message, which says that it has begun.
///
/// # Errors
/// It is refused.
pub(crate) async fn watch(channel: Channel, request: Bytes) -> Result<Streaming<Bytes>, Failure> {
    let mut grpc = Grpc::new(channel);
    grpc.ready().await?;
    let path = PathAndQuery::from_static("/baton.v1.HandoffService/WatchHandoffs");
    let mut stream =
        grpc.server_streaming(Request::new(request), path, RawCodec).await.during("watching")?.into_inner();
    match stream.message().await.during("watching")? {
        Some(_begun) => Ok(stream),
        None => Err(Failure::new("a watch ended before it began")),
    }
}

async fn read<R: Reader>(mut stream: Streaming<Bytes>, mut reader: R) -> Result<R, Failure> {
    while let Some(message) = stream.message().await.during("watching")? {
        if reader.read(message)? {
            return Ok(reader);
        }
    }
    Err(Failure::new("a watch ended although events were still to come"))
}
