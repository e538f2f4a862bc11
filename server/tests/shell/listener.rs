//! Ports that cannot be opened.

use baton_server::listener::{BindError, bind};

#[tokio::test]
async fn a_port_in_use_is_named_with_what_to_do() {
    let first = bind("listen", "127.0.0.1:0").await.unwrap();
    let address = first.local_addr().unwrap().to_string();
    let error = bind("http", &address).await.unwrap_err();
    assert!(matches!(error, BindError::InUse { .. }));
    let text = error.to_string();
    assert!(
        text.contains(&address) && text.contains("in use") && text.contains("give http another port"),
        "{text}"
    );
}

#[tokio::test]
async fn a_host_that_is_not_of_this_machine_is_refused() {
    // 192.0.2.0/24 is for documents alone; `.invalid` never resolves.
    for address in ["192.0.2.1:0", "baton.invalid:7420"] {
        let error = bind("listen", address).await.unwrap_err();
        assert!(matches!(error, BindError::NoSuchAddress { .. }), "{error:?}");
        assert!(error.to_string().starts_with(&format!("cannot listen on {address}: ")), "{error}");
    }
}

#[tokio::test]
async fn port_zero_takes_a_free_port_and_a_name_will_do() {
    let listener = bind("listen", "localhost:0").await.unwrap();
    assert_ne!(listener.local_addr().unwrap().port(), 0);
}
