//! The outer archive of a .deb: the "common" ar(5) format with three members (deb(5)).
//!
//! Written by hand because the size of the last member is known only after it was compressed: its header is patched in
//! place, so that nothing is written twice. Read by hand because a hostile name table must not be able to ask for memory.

use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::format::error::Fault;

const MAGIC: &[u8; 8] = b"!<arch>\n";
const HEADER: usize = 60;
/// A .deb has three members; a few more may be added by signing tools.
const MAX_MEMBERS: usize = 16;
/// The size field has ten decimal digits.
pub(super) const MAX_MEMBER_SIZE: u64 = 9_999_999_999;

/// A member: its name and where its content lies in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// Writes the archive's magic.
pub(super) fn start(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(MAGIC)
}

/// The 60 bytes before a member's content.
pub(super) fn header(name: &str, time: i64, size: u64) -> String {
    format!("{name:<16}{time:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, "100644")
}

/// All members, without their contents. Every member must lie within the file.
pub(super) fn members(file: &mut (impl Read + Seek)) -> Result<Vec<Member>, Fault> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut magic = [0; 8];
    if length < 8 || file.read_exact(&mut magic).is_err() || &magic != MAGIC {
        return Err(Fault::malformed("it does not begin as an ar archive"));
    }
    let mut members = Vec::new();
    let mut position = MAGIC.len() as u64;
    while position < length {
        if members.len() == MAX_MEMBERS {
            return Err(Fault::malformed("it has more members than any .deb"));
        }
        let mut bytes = [0; HEADER];
        file.seek(SeekFrom::Start(position))?;
        file.read_exact(&mut bytes).map_err(|_| Fault::malformed("it ends within a member's header"))?;
        let member = parse_header(&bytes, position + HEADER as u64)?;
        position = member.offset.saturating_add(member.size);
        if position > length {
            return Err(Fault::malformed(format!("it ends within its member `{}`", member.name)));
        }
        position += member.size % 2;
        members.push(member);
    }
    Ok(members)
}

fn parse_header(bytes: &[u8; HEADER], offset: u64) -> Result<Member, Fault> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| text.is_ascii());
    let malformed = || Fault::malformed("a member's header is no ar header");
    let text = text.ok_or_else(malformed)?;
    let field = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default().trim_end_matches(' ');
    let name = field(0..16).trim_end_matches('/');
    let digits = field(48..58);
    if field(58..60) != "`\n" || name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(malformed());
    }
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed());
    }
    let size = digits.parse().map_err(|_| malformed())?;
    Ok(Member { name: name.to_owned(), offset, size })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn a_header_is_sixty_bytes_that_read_back() {
        let text = header("control.tar.zst", 1_700_000_000, 12);
        assert_eq!(text.len(), HEADER);
        let member = parse_header(text.as_bytes().try_into().expect("60 bytes"), 60).expect("a header");
        assert_eq!(member, Member { name: "control.tar.zst".to_owned(), offset: 60, size: 12 });
    }

    #[test]
    fn a_member_beyond_the_end_is_refused() {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(header("debian-binary", 0, 9_999_999_999).bytes());
        assert!(matches!(members(&mut Cursor::new(bytes)), Err(Fault::Malformed(_))));
    }
}
