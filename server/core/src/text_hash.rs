//! A hash of short texts, to find them by.

/// FNV-1a, eight bytes at a time. Texts that collide can be made up, so who uses it must bound what that costs.
pub(crate) fn text_hash(text: &str) -> u32 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let (words, rest) = text.as_bytes().as_chunks::<8>();
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let all = words.iter().map(word).chain([word(&last)]);
    let hashed = all.fold(0xcbf2_9ce4_8422_2325_u64, |hash, word| {
        let mixed = (hash ^ word).wrapping_mul(PRIME);
        mixed ^ (mixed >> 32)
    });
    hashed as u32
}
