//! The configuration: what is refused, and how it is said.

use std::{fs, path::PathBuf};

use baton_server::config::{Config, ConfigError, LogFormat, LogLevel, LogRequests};

fn load(text: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("baton.toml");
    fs::write(&path, text).unwrap();
    Config::load(&path)
}

#[test]
fn the_defaults_can_work() {
    Config::default().validate().unwrap();
    assert_eq!(load("").unwrap(), Config::default());
}

#[test]
fn every_field_can_be_set() {
    let config = load(
        r#"
        data = "/var/lib/baton"
        listen = "[::1]:7420"
        http = "127.0.0.1:7421"
        threads = 3
        log_size_bytes_max = 1073741824
        retain_s = 2592000
        retain_bytes = 65536
        retain_interval_ms = 500
        checkpoint_events = 5000
        queue_commands_max = 100
        batch_commands_max = 10
        message_bytes_max = 1048576
        connections_max = 7
        connection_streams_max = 8
        keepalive_interval_s = 9
        keepalive_timeout_s = 10
        stop_grace_s = 11
        request_deadline_s_max = 12
        request_memory_count_max = 1300
        request_memory_s_max = 140
        namespaces_max = 15
        watchers_max = 160
        watchers_per_connection_max = 17
        log_format = "json"
        log_level = "debug"
        log_requests = "refused"
        "#,
    )
    .unwrap();
    config.validate().unwrap();
    let expected = Config {
        data: PathBuf::from("/var/lib/baton"),
        listen: "[::1]:7420".to_owned(),
        http: Some("127.0.0.1:7421".to_owned()),
        threads: Some(3),
        log_size_bytes_max: Some(1_073_741_824),
        retain_s: Some(2_592_000),
        retain_bytes: Some(65_536),
        retain_interval_ms: 500,
        checkpoint_events: 5_000,
        queue_commands_max: 100,
        batch_commands_max: 10,
        message_bytes_max: 1_048_576,
        connections_max: 7,
        connection_streams_max: 8,
        keepalive_interval_s: 9,
        keepalive_timeout_s: 10,
        stop_grace_s: 11,
        request_deadline_s_max: 12,
        request_memory_count_max: 1_300,
        request_memory_s_max: 140,
        namespaces_max: 15,
        watchers_max: 160,
        watchers_per_connection_max: 17,
        log_format: LogFormat::Json,
        log_level: LogLevel::Debug,
        log_requests: LogRequests::Refused,
    };
    assert_eq!(config, expected);
}

#[test]
fn each_value_out_of_bounds_is_named_with_the_value_and_the_bound() {
    let table = [
        ("data = ''", "data is empty: it must name a folder"),
        ("threads = 0", "threads is 0: it must be at least 1"),
        ("threads = 1025", "threads is 1025: it must be at most 1024"),
        ("log_size_bytes_max = 1048575", "log_size_bytes_max is 1048575: it must be at least 1048576"),
        ("retain_s = 0", "retain_s is 0: it must be at least 1"),
        ("retain_s = 3153600001", "retain_s is 3153600001: it must be at most 3153600000"),
        ("retain_bytes = 65535", "retain_bytes is 65535: it must be at least 65536"),
        ("retain_interval_ms = 9", "retain_interval_ms is 9: it must be at least 10"),
        ("retain_interval_ms = 3600001", "retain_interval_ms is 3600001: it must be at most 3600000"),
        ("checkpoint_events = 99", "checkpoint_events is 99: it must be at least 100"),
        ("checkpoint_events = 100000001", "checkpoint_events is 100000001: it must be at most 100000000"),
        ("queue_commands_max = 1000001", "queue_commands_max is 1000001: it must be at most 1000000"),
        ("batch_commands_max = 0", "batch_commands_max is 0: it must be at least 1"),
        (
            "batch_commands_max = 4097",
            "batch_commands_max is 4097: it must be at most queue_commands_max, which is 4096",
        ),
        ("message_bytes_max = 65535", "message_bytes_max is 65535: it must be at least 65536"),
        ("message_bytes_max = 67108865", "message_bytes_max is 67108865: it must be at most 67108864"),
        ("connections_max = 0", "connections_max is 0: it must be at least 1"),
        ("connection_streams_max = 0", "connection_streams_max is 0: it must be at least 1"),
        ("connection_streams_max = 65537", "connection_streams_max is 65537: it must be at most 65536"),
        ("keepalive_interval_s = 0", "keepalive_interval_s is 0: it must be at least 1"),
        ("keepalive_interval_s = 7201", "keepalive_interval_s is 7201: it must be at most 7200"),
        ("keepalive_timeout_s = 0", "keepalive_timeout_s is 0: it must be at least 1"),
        ("keepalive_timeout_s = 601", "keepalive_timeout_s is 601: it must be at most 600"),
        ("stop_grace_s = 601", "stop_grace_s is 601: it must be at most 600"),
        ("request_deadline_s_max = 0", "request_deadline_s_max is 0: it must be at least 1"),
        ("request_deadline_s_max = 3601", "request_deadline_s_max is 3601: it must be at most 3600"),
        ("request_memory_count_max = 999", "request_memory_count_max is 999: it must be at least 1000"),
        ("request_memory_s_max = 59", "request_memory_s_max is 59: it must be at least 60"),
        ("request_memory_s_max = 31536001", "request_memory_s_max is 31536001: it must be at most 31536000"),
        ("namespaces_max = 0", "namespaces_max is 0: it must be at least 1"),
        ("watchers_max = 1000001", "watchers_max is 1000001: it must be at most 1000000"),
        ("watchers_per_connection_max = 0", "watchers_per_connection_max is 0: it must be at least 1"),
        (
            "watchers_max = 255",
            "watchers_per_connection_max is 256: it must be at most watchers_max, which is 255",
        ),
        (
            "http = '127.0.0.1:7420'",
            r#"http is "127.0.0.1:7420", which listen takes already: it must have a port of its own"#,
        ),
    ];
    for (text, reason) in table {
        let Err(ConfigError::Invalid { reasons }) = load(text).unwrap().validate() else {
            panic!("{text} is accepted");
        };
        assert_eq!(reasons, [reason], "{text}");
    }
}

#[test]
fn addresses_must_be_host_and_port() {
    for address in [
        "",
        "7420",
        "localhost",
        ":7420",
        "localhost:",
        "localhost:65536",
        "::1:7420",
        "a b:1",
        "http://a:1",
        "a:+1",
    ] {
        let config = Config { listen: address.to_owned(), ..Config::default() };
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(&format!("listen is {address:?}: it must be HOST:PORT")), "{error}");
    }
    for address in ["localhost:0", "[::]:7420", "0.0.0.0:65535", "baton.example.org:7420"] {
        Config { listen: address.to_owned(), ..Config::default() }.validate().unwrap();
    }
}

#[test]
fn all_reasons_are_given_at_once() {
    let config = Config { listen: String::new(), stop_grace_s: 601, namespaces_max: 0, ..Config::default() };
    let Err(ConfigError::Invalid { reasons }) = config.validate() else { panic!("it is accepted") };
    assert_eq!(reasons.len(), 3, "{reasons:?}");
}

#[test]
fn a_file_that_says_something_else_is_refused_with_the_place() {
    for (text, hint) in [
        ("listen_address = 'localhost:1'", "unknown field `listen_address`"),
        ("\n\nlisten = 7420", "line 3"),
        ("listen = ", "line 1"),
        ("log_format = 'xml'", "unknown variant `xml`"),
        ("stop_grace_s = -1", "line 1"),
    ] {
        let error = load(text).unwrap_err();
        assert!(matches!(error, ConfigError::Parse { .. }), "{text}");
        assert!(error.to_string().contains(hint) && error.to_string().contains("baton.toml"), "{error}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = Config::load("no/such/baton.toml".as_ref()).unwrap_err();
    assert!(matches!(error, ConfigError::Read { .. }));
    assert!(error.to_string().contains("no/such/baton.toml"), "{error}");
}
