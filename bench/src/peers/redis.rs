//! Redis: a Lua script does the hand-off, and the append-only file is made durable before each answer.
//!
//! The protocol (RESP2) is spoken here: a few lines, so that the client costs next to nothing. One connection for each caller.

use baton_proto::v1::{CreateTaskRequest, HandOffRequest};
use prost_types::Struct;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream},
    net::TcpStream,
    process::Command,
};

use super::{Absent, Peer, PeerClient, Place, state, until_serving, version};
use crate::{
    baton::new_folder,
    child::{Child, find_program, free_port},
    failure::Failure,
};

/// Checks owner and epoch, changes both, moves the state and adds to the history; Redis runs it as one.
const SCRIPT: &str = r"
local task = redis.call('HMGET', KEYS[1], 'owner', 'epoch')
if task[1] ~= ARGV[1] or task[2] ~= ARGV[3] then
  return redis.error_reply('STALE the task is owned by ' .. tostring(task[1]) .. ' at epoch ' .. tostring(task[2]))
end
redis.call('HSET', KEYS[1], 'owner', ARGV[2], 'epoch', task[2] + 1, 'status', 'HANDED_OFF')
local state = redis.call('GET', KEYS[2])
if state then redis.call('SET', KEYS[3], state) end
redis.call('RPUSH', KEYS[4], ARGV[4])
return task[2] + 1
";

/// A running Redis.
pub(crate) struct Redis {
    child: Child,
    port: u16,
    version: String,
    script: String,
    // Removed when dropped.
    _folder: TempDir,
}

impl Redis {
    /// Starts a Redis on an empty folder.
    ///
    /// # Errors
    /// It is not installed, or cannot be started.
    pub(crate) async fn start(place: &Place) -> Result<Self, Absent> {
        let program = find_program("redis-server", &[])
            .ok_or_else(|| Absent::not_installed("apt-get install redis-server"))?;
        let (folder, port) = (new_folder(&place.data)?, free_port()?);
        let mut command = Command::new(&program);
        command
            .args(["--bind", "127.0.0.1", "--daemonize", "no", "--save", ""])
            .args(["--appendonly", "yes", "--appendfsync", "always"])
            .args(["--port", &port.to_string()])
            .arg("--dir")
            .arg(folder.path());
        let mut child = Child::start("redis", command, folder.path().join("redis.log"))?;
        let said = version(&program, "--version").await;
        // It says `Redis server v=7.0.15 sha=…`.
        let number = said.split_whitespace().find_map(|word| word.strip_prefix("v="));
        let version = number.unwrap_or("of unknown version").to_owned();
        let mut client = until_serving(&mut child, || RedisClient::connect(port, String::new())).await?;
        let loaded = client.call(&[b"SCRIPT", b"LOAD", SCRIPT.as_bytes()]).await?;
        let script = String::from_utf8_lossy(&loaded).into_owned();
        Ok(Self { child, port, version, script, _folder: folder })
    }
}

impl Peer for Redis {
    const NAME: &'static str = "redis";
    type Client = RedisClient;

    fn about(&self) -> String {
        format!(
            "Redis {}; Lua script by EVALSHA, appendfsync always, a connection for each caller",
            self.version
        )
    }

    async fn client(&self, _caller: usize) -> Result<RedisClient, Failure> {
        RedisClient::connect(self.port, self.script.clone()).await
    }

    async fn stop(self) -> Result<(), Failure> {
        self.child.stop(Signal::TERM).await
    }
}

/// One connection.
pub(crate) struct RedisClient {
    stream: BufStream<TcpStream>,
    script: String,
}

impl RedisClient {
    async fn connect(port: u16, script: String) -> Result<Self, Failure> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mut client = Self { stream: BufStream::new(stream), script };
        client.call(&[b"PING"]).await?;
        Ok(client)
    }

    /// Sends one command and returns its answer as bytes.
    async fn call(&mut self, words: &[&[u8]]) -> Result<Vec<u8>, Failure> {
        self.stream.write_all(format!("*{}\r\n", words.len()).as_bytes()).await?;
        for word in words {
            self.stream.write_all(format!("${}\r\n", word.len()).as_bytes()).await?;
            self.stream.write_all(word).await?;
            self.stream.write_all(b"\r\n").await?;
        }
        self.stream.flush().await?;
        self.answer().await
    }

    /// Reads one answer: a line, a number, bytes, or an error.
    async fn answer(&mut self) -> Result<Vec<u8>, Failure> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        let text = line.trim_ascii_end();
        match text.split_first() {
            Some((b'+' | b':', rest)) => Ok(rest.to_vec()),
            Some((b'$', rest)) => {
                let length: usize =
                    std::str::from_utf8(rest).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
                let mut bytes = vec![0; length + 2];
                self.stream.read_exact(&mut bytes).await?;
                bytes.truncate(length);
                Ok(bytes)
            }
            _ => Err(Failure::new(format!("redis: {}", String::from_utf8_lossy(text)))),
        }
    }
}

impl PeerClient for RedisClient {
    async fn create(&mut self, _namespace: &str, tasks: Vec<CreateTaskRequest>) -> Result<(), Failure> {
        for task in tasks {
            let key = format!("task:{}", task.task_id);
            let owner = task.assigned_agent.as_bytes();
            self.call(&[b"HSET", key.as_bytes(), b"owner", owner, b"epoch", b"1", b"status", b"PENDING"])
                .await?;
        }
        Ok(())
    }

    async fn know(&mut self, _namespace: &str, agent: &str, known: Struct) -> Result<(), Failure> {
        self.call(&[b"SET", format!("state:{agent}").as_bytes(), &state::state(&known)]).await?;
        Ok(())
    }

    async fn hand_off(&mut self, request: HandOffRequest) -> Result<(), Failure> {
        let task = format!("task:{}", request.task_id);
        let (from, to) = (format!("state:{}", request.from_agent), format!("state:{}", request.to_agent));
        let history = format!("history:{}", request.task_id);
        let (epoch, entry) = (state::epoch(&request).to_string(), state::entry(&request));
        let script = std::mem::take(&mut self.script);
        let keys = [task.as_bytes(), from.as_bytes(), to.as_bytes(), history.as_bytes()];
        let values = [request.from_agent.as_bytes(), request.to_agent.as_bytes(), epoch.as_bytes(), &*entry];
        let words = [&[&b"EVALSHA"[..], script.as_bytes(), b"4"], &keys[..], &values[..]].concat();
        let answer = self.call(&words).await;
        self.script = script;
        answer.map(drop)
    }
}
