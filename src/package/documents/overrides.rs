//! lintian's overrides: for what vendoring is about and nothing else, each with its reason.

use std::io::{self, Read};
use std::sync::LazyLock;

use minijinja::context;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use regex::bytes::Regex;

use crate::name::PackageName;
use crate::package::libraries::VendoredBinaries;
use crate::package::{Error, template};
use crate::tree::{Content, InstallPath, Tree, elf, facts};

/// What lintian is told not to expect.
pub(in crate::package) struct Overrides<'a> {
    pub(in crate::package) package: &'a PackageName,
    pub(in crate::package) prefix: &'a InstallPath,
    pub(in crate::package) tree: &'a Tree,
    pub(in crate::package) python: bool,
    pub(in crate::package) vendored: VendoredBinaries,
    /// Whether lintian would take it for the first upload to Debian: one entry of the changelog, and revision 1.
    pub(in crate::package) first: bool,
}

/// lintian's overrides for what vendoring is about, its errors and warnings only; own code is never covered, and what
/// would not be found is not overridden, as far as that can be told from here. `None` when there is nothing to override.
pub(in crate::package) fn lintian_overrides(overrides: &Overrides<'_>) -> Result<Option<String>, Error> {
    let bytecode = overrides.tree.iter().any(|(path, _)| path.as_str().contains("/__pycache__/"));
    let licenses = overrides.tree.iter().any(|(path, _)| {
        let name = path.file_name().to_ascii_lowercase();
        path.as_str().contains(".dist-info/")
            && ["license", "licence", "copying"].iter().any(|word| name.starts_with(word))
    });
    let fortran = overrides.tree.iter().any(|(path, entry)| entry.vendored && path.as_str().ends_with(".mod"));
    let values = context! {
        licenses,
        fortran,
        package => overrides.package.as_str(),
        tree => overrides.prefix.relative(),
        binaries => overrides.vendored.any,
        unstripped => overrides.vendored.unstripped,
        without_libc => overrides.vendored.without_libc,
        without_needs => overrides.vendored.without_needs,
        embedded => overrides.vendored.any && has_embedded_library(overrides.tree)?,
        python => overrides.python,
        bytecode,
        first => overrides.first,
    };
    let text = template::render(include_str!("../../../templates/deb/lintian-overrides"), values)?;
    Ok((!text.trim().is_empty()).then_some(text))
}

/// What lintian (2.116 and 2.122, `data/binaries/embedded-libs`) knows libraries by that are linked into others: texts of
/// theirs, without the beginnings and ends of lines that it asks for, so that nothing which it finds is missed.
static EMBEDDED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    const TEXTS: &[&str] = &[
        "This is a bug in bzip2",
        "A libcurl function was given a bad argument",
        "requested feature requires XML_DTD support in Expat",
        "could not find any (?:valid )?magic files",
        "HuaTianSongTi[?]",
        "FTGlyphContainer",
        r"\(C\) 1999-2009 C\. Geuzaine",
        "Extension name exceeds 1023 characters",
        "Missing GL version",
        "GNU MP: Cannot allocate memory",
        "Heimdal (?:NTLMSSP|SPNEGO) Mechanism",
        r"(?i:standards-oui\.ieee\.org|standards\.ieee\.org/develop/regauth/oui|DR\. B\. STRUCK)",
        "cmsCreateTransform: intent mismatch",
        "Unsupported number of channels for VCGT",
        "insufficient thread locking around avcodec_open",
        "Soundcard does not support 16 bit sample format",
        "Buffer video frames, and make them accessible to the filterchain",
        "Format detected only with low score of",
        "AVOption type %d of option %s not implemented yet",
        "gd-(?:png|jpeg:) error:",
        "Gadu-Gadu Client Build",
        "Invalid XPS File: cannot open fixedrepresentation",
        "Punycode failed|ISCSIprep",
        "punycode conversion resulted in overflow",
        "Caution: quantization tables are too coarse for baseline JPEG",
        "A valid JSON document must be either an array or an object value",
        "Received incoming RTSP request:|LIVE555 Streaming Media v",
        r"neg\*\*non-integral: DOMAIN error",
        "failed to read new ASF header",
        "TERM misplaced during creation of MNG stream",
        "The MSN server has terminated the connection with an unknown reason code",
        "Miniupnpc Invalid Arguments",
        r"APUN \(APlayer\) and UNI \(MikMod\)",
        "MySQL client ran out of memory",
        "pcap_activate: The \"any\" device isn't supported|corrupted frame on kernel ring mac offset",
        "Potential overflow in png_zalloc|gamma value does not match libpng estimate",
        "quicktime_make_streamable: out of memory",
        "Unsupported file format or not RAW file",
        "using npp filters 0x%X/0x%X",
        "unknown internal error; please contact the LibSass maintainers",
        "Invalid descriptor passed to libssh2_poll",
        "Error allocating memory for ssh_scp",
        "Exactly one scaler algorithm must be chosen",
        "Xiph.Org libtheora",
        "SSDP_LIB: New Request Handler:Error|mserv start: Error in IPv4 listen",
        "root and DTD name do not match",
        "did not find expected <stream-start>",
        r"Signature does not match\. Not TNEF",
        "library already shutdown",
        "ASN1 - Actual length differs from expected length|SSL - The connection indicated an EOF",
        "MPFR: Can't allocate memory",
        "Warning: Encountered more data after announced end of track",
        "Not enough memory to create terminal structure",
        "Unable to create nspr log file",
        "My Encrytion Test Data",
        "tcd_decode: incomplete bit?stream|Cannot handle box of less than 8 bytes",
        "You need to read the OpenSSL FAQ",
        "this version of PCRE is not compiled with PCRE_UTF8 support",
        "May not be a PDF file|PDF file is damaged - attempting to reconstruct xref table",
        "srtp: in stream 0x%x:",
        r"CREATE TABLE sqlite_master\(",
        "One of the size bytes in the id3v2 header was greater",
        r"t1lib is copyright \(c\) Rainer Menzner",
        "No space for PixarLog state block",
        r"Error when TiXmlDocument added to document|Error null \(0\) or unexpected EOF found in input stream",
        r"(?:in|de)flate \d",
    ];
    Regex::new(&format!("(?-u:{})", TEXTS.join("|"))).ok()
});

/// Whether lintian may find a library in one of the vendored ELF files.
fn has_embedded_library(tree: &Tree) -> io::Result<bool> {
    let vendored = tree.iter().filter(|(_, entry)| entry.vendored).filter_map(|(_, entry)| entry.content());
    let programs: Vec<&Content> = vendored.filter(|content| matches!(elf::read(content), Ok(Some(_)))).collect();
    let embeds = |content: &&Content| facts::embeds(content, || holds_embedded_library(content));
    let found = programs.par_iter().map(embeds).find_any(|answer| !matches!(answer, Ok(false)));
    found.unwrap_or(Ok(false))
}

fn holds_embedded_library(content: &Content) -> io::Result<bool> {
    const PIECE: u64 = 1024 * 1024;
    /// Longer than any of the texts.
    const OVERLAP: usize = 256;
    let Some(texts) = EMBEDDED.as_ref() else { return Ok(true) };
    let mut reader = content.open()?;
    let mut piece = Vec::new();
    reader.by_ref().take(4).read_to_end(&mut piece)?;
    if piece != b"\x7fELF" {
        return Ok(false);
    }
    loop {
        let read = reader.by_ref().take(PIECE).read_to_end(&mut piece)?;
        if read == 0 {
            return Ok(false);
        }
        if texts.is_match(&piece) {
            return Ok(true);
        }
        piece.drain(..piece.len().saturating_sub(OVERLAP));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_embedded_library_is_found_across_pieces_and_in_programs_only() {
        let text = b"did not find expected <stream-start>";
        let mut elf = b"\x7fELF".to_vec();
        elf.resize(1024 * 1024 - 10, b'x');
        assert!(!holds_embedded_library(&Content::bytes(elf.clone())).expect("read"));
        elf.extend_from_slice(text);
        assert!(holds_embedded_library(&Content::bytes(elf)).expect("read"));
        assert!(!holds_embedded_library(&Content::bytes(&text[..])).expect("read"));
        assert!(EMBEDDED.is_some());
    }

    #[test]
    fn every_library_that_lintian_knows_is_known() {
        let Ok(data) = fs_err::read_to_string("/usr/share/lintian/data/binaries/embedded-libs") else { return };
        let keys = data.lines().filter(|line| !line.starts_with('#') && line.contains("||")).count();
        let texts = EMBEDDED.as_ref().expect("a pattern").as_str();
        assert!(keys <= 66, "lintian knows {keys} libraries: compare its table with this one");
        for line in data.lines().filter(|line| !line.starts_with('#') && line.contains("||")) {
            let pattern = line.rsplit("||").next().expect("a pattern");
            let longest = pattern.split(|c: char| !c.is_ascii_alphanumeric() && c != ' ').max_by_key(|part| part.len());
            let word: String = longest.expect("a word").trim().chars().take(12).collect();
            let found = texts.contains(&word) || word.contains("flate");
            assert!(found, "{word:?} of {pattern} is not known here");
        }
    }
}
