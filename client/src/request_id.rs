//! Makes the ids that let a mutation be repeated without being applied twice.
//!
//! Knows nothing of calls: who sends an id, and how often, is decided in `call.rs`.

/// Returns a new request id: 128 random bits in hex, 32 characters.
///
/// Ids are made up independently by every client, so they must be too long to meet by chance; they are no secret.
#[must_use]
pub fn new_request_id() -> String {
    format!("{:032x}", fastrand::u128(..))
}

#[cfg(test)]
mod tests {
    use super::new_request_id;

    #[test]
    fn an_id_is_32_hex_digits_and_no_two_are_the_same() {
        let ids: std::collections::BTreeSet<String> = (0..1_000).map(|_| new_request_id()).collect();
        assert_eq!(ids.len(), 1_000);
        assert!(ids.iter().all(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())));
    }
}
