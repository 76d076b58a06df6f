//! The numbers of RPM's file format, version 4 (rpm's documentation "Package format" and "Header tags"; `rpmtag.h`,
//! `rpmds.h`, `rpmfiles.h`).

/// Data types of header entries.
pub(super) mod kind {
    pub(in crate::format::rpm) const CHAR: u32 = 1;
    pub(in crate::format::rpm) const INT8: u32 = 2;
    pub(in crate::format::rpm) const INT16: u32 = 3;
    pub(in crate::format::rpm) const INT32: u32 = 4;
    pub(in crate::format::rpm) const INT64: u32 = 5;
    pub(in crate::format::rpm) const STRING: u32 = 6;
    pub(in crate::format::rpm) const BIN: u32 = 7;
    pub(in crate::format::rpm) const STRING_ARRAY: u32 = 8;
    pub(in crate::format::rpm) const I18NSTRING: u32 = 9;
}

macro_rules! numbers {
    ($($name:ident = $value:literal),+ $(,)?) => { $(pub(super) const $name: u32 = $value;)+ };
}

numbers! {
    // Regions.
    HEADER_SIGNATURES = 62, HEADER_IMMUTABLE = 63, HEADER_I18NTABLE = 100,
    // The signature header.
    SIG_DSA = 267, SIG_RSA = 268, SIG_SHA1 = 269, SIG_LONGSIZE = 270, SIG_LONGARCHIVESIZE = 271, SIG_SHA256 = 273,
    SIG_OPENPGP = 278, SIG_SIZE = 1000, SIG_PGP = 1002, SIG_MD5 = 1004, SIG_GPG = 1005, SIG_PAYLOADSIZE = 1007,
    SIG_RESERVEDSPACE = 1008,
    // Identity and description.
    NAME = 1000, VERSION = 1001, RELEASE = 1002, EPOCH = 1003, SUMMARY = 1004, DESCRIPTION = 1005, BUILDTIME = 1006,
    BUILDHOST = 1007, SIZE = 1009, VENDOR = 1011, LICENSE = 1014, PACKAGER = 1015, GROUP = 1016, URL = 1020, OS = 1021,
    ARCH = 1022, SOURCERPM = 1044, RPMVERSION = 1064, SOURCEPACKAGE = 1106, PLATFORM = 1132, LONGSIZE = 5009,
    ENCODING = 5062,
    // Scriptlets.
    PREIN = 1023, POSTIN = 1024, PREUN = 1025, POSTUN = 1026, PREINPROG = 1085, POSTINPROG = 1086, PREUNPROG = 1087,
    POSTUNPROG = 1088, PRETRANS = 1151, POSTTRANS = 1152, PRETRANSPROG = 1153, POSTTRANSPROG = 1154,
    PREINFLAGS = 5020, POSTINFLAGS = 5021, PREUNFLAGS = 5022, POSTUNFLAGS = 5023, PRETRANSFLAGS = 5024,
    POSTTRANSFLAGS = 5025, PREUNTRANS = 5103, POSTUNTRANS = 5104, PREUNTRANSPROG = 5105, POSTUNTRANSPROG = 5106,
    PREUNTRANSFLAGS = 5107, POSTUNTRANSFLAGS = 5108,
    // Files.
    FILESIZES = 1028, FILEMODES = 1030, FILERDEVS = 1033, FILEMTIMES = 1034, FILEDIGESTS = 1035, FILELINKTOS = 1036,
    FILEFLAGS = 1037, FILEUSERNAME = 1039, FILEGROUPNAME = 1040, FILEVERIFYFLAGS = 1045, FILEDEVICES = 1095,
    FILEINODES = 1096, FILELANGS = 1097, DIRINDEXES = 1116, BASENAMES = 1117, DIRNAMES = 1118, FILECOLORS = 1140,
    LONGFILESIZES = 5008, FILECAPS = 5010, FILEDIGESTALGO = 5011,
    // Relations.
    PROVIDENAME = 1047, PROVIDEFLAGS = 1112, PROVIDEVERSION = 1113, REQUIREFLAGS = 1048, REQUIRENAME = 1049,
    REQUIREVERSION = 1050, CONFLICTFLAGS = 1053, CONFLICTNAME = 1054, CONFLICTVERSION = 1055, OBSOLETENAME = 1090,
    OBSOLETEFLAGS = 1114, OBSOLETEVERSION = 1115, RECOMMENDNAME = 5046, RECOMMENDVERSION = 5047, RECOMMENDFLAGS = 5048,
    SUGGESTNAME = 5049, SUGGESTVERSION = 5050, SUGGESTFLAGS = 5051, SUPPLEMENTNAME = 5052, SUPPLEMENTVERSION = 5053,
    SUPPLEMENTFLAGS = 5054, ENHANCENAME = 5055, ENHANCEVERSION = 5056, ENHANCEFLAGS = 5057,
    // History.
    CHANGELOGTIME = 1080, CHANGELOGNAME = 1081, CHANGELOGTEXT = 1082,
    // Payload.
    ARCHIVESIZE = 1046, PAYLOADFORMAT = 1124, PAYLOADCOMPRESSOR = 1125, PAYLOADFLAGS = 1126,
    PAYLOADDIGEST = 5092, PAYLOADDIGESTALGO = 5093, PAYLOADDIGESTALT = 5097,
}

/// Flags of files (`RPMFILE_*`).
pub(super) mod file {
    pub(in crate::format::rpm) const CONFIG: u32 = 1;
    pub(in crate::format::rpm) const DOC: u32 = 1 << 1;
    pub(in crate::format::rpm) const MISSINGOK: u32 = 1 << 3;
    pub(in crate::format::rpm) const NOREPLACE: u32 = 1 << 4;
    pub(in crate::format::rpm) const GHOST: u32 = 1 << 6;
    pub(in crate::format::rpm) const LICENSE: u32 = 1 << 7;
}

/// What of a file is verified (`RPMVERIFY_*`).
pub(super) mod verify {
    pub(in crate::format::rpm) const DIGEST: u32 = 1;
    pub(in crate::format::rpm) const SIZE: u32 = 1 << 1;
    pub(in crate::format::rpm) const LINK: u32 = 1 << 2;
    pub(in crate::format::rpm) const TIME: u32 = 1 << 5;
}

/// Flags of relations (`RPMSENSE_*`).
pub(super) mod sense {
    pub(in crate::format::rpm) const LESS: u32 = 1 << 1;
    pub(in crate::format::rpm) const GREATER: u32 = 1 << 2;
    pub(in crate::format::rpm) const EQUAL: u32 = 1 << 3;
    pub(in crate::format::rpm) const POSTTRANS: u32 = 1 << 5;
    pub(in crate::format::rpm) const PREREQ: u32 = 1 << 6;
    pub(in crate::format::rpm) const PRETRANS: u32 = 1 << 7;
    pub(in crate::format::rpm) const INTERP: u32 = 1 << 8;
    pub(in crate::format::rpm) const SCRIPT_PRE: u32 = 1 << 9;
    pub(in crate::format::rpm) const SCRIPT_POST: u32 = 1 << 10;
    pub(in crate::format::rpm) const SCRIPT_PREUN: u32 = 1 << 11;
    pub(in crate::format::rpm) const SCRIPT_POSTUN: u32 = 1 << 12;
    pub(in crate::format::rpm) const PREUNTRANS: u32 = 1 << 20;
    pub(in crate::format::rpm) const POSTUNTRANS: u32 = 1 << 21;
    pub(in crate::format::rpm) const RPMLIB: u32 = 1 << 24;
    pub(in crate::format::rpm) const CONFIG: u32 = 1 << 28;
}

/// The algorithm number of SHA-256 (RFC 9580, 9.5), for file and payload digests.
pub(super) const SHA256: u32 = 8;
