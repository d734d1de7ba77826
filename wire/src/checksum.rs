//! CRC-32C (Castagnoli, RFC 3720): the checksum of Kafka's batches, and of all files that are our own.

use crc_fast::{CrcAlgorithm, Digest, crc32_iscsi};

/// The checksum of bytes.
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc32_iscsi(bytes)
}

/// The checksum of bytes that come in parts.
pub struct Crc32c(Digest);

impl Crc32c {
    /// Of no bytes yet.
    pub fn new() -> Crc32c {
        Crc32c(Digest::new(CrcAlgorithm::Crc32Iscsi))
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all of them.
    pub fn finish(&self) -> u32 {
        u32::try_from(self.0.finalize()).expect("a checksum of 32 bits")
    }
}

impl Default for Crc32c {
    fn default() -> Crc32c {
        Crc32c::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit by bit, as the polynomial is written down.
    fn by_the_book(bytes: &[u8]) -> u32 {
        let by_bit = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
        !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), by_bit))
    }

    /// The vectors of RFC 3720, B.4, and the check value of the catalogue of CRCs.
    #[test]
    fn it_is_the_checksum_of_the_standard() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        let rising: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&rising), 0x46dd_794e);
    }

    #[test]
    fn it_is_the_same_in_one_piece_in_parts_and_bit_by_bit() {
        let bytes: Vec<u8> = (0..5000u32).map(|n| ((n * n) >> 3) as u8).collect();
        for length in (0..600).chain([1023, 1024, 4095, 4096, 5000]) {
            let expected = by_the_book(&bytes[..length]);
            assert_eq!(crc32c(&bytes[..length]), expected, "{length} bytes");
            for cut in [0, 1, 7, 40, 64, 255, 512].map(|cut: usize| cut.min(length)) {
                let mut parts = Crc32c::new();
                parts.update(&bytes[..cut]);
                parts.update(&bytes[cut..length]);
                assert_eq!(parts.finish(), expected, "{length} bytes, cut at {cut}");
            }
        }
    }
}
