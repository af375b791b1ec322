//! Numbers in as few bytes as they need: seven bits a byte, the lowest first, the eighth where another byte follows.

pub(crate) fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
