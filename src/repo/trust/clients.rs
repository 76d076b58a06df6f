//! What the clients of each distribution refuse about a key, and from when: the one table that the choice of a signing
//! key and `key lint` share.
//!
//! Only what is known stands here. Tried with a key of each kind: gpgv 2.2 (apt 2.2 to 2.6), sqv 1.3 with Debian 13's policy
//! (`/usr/share/apt/default-sequoia.config`; its Nettle has no Brainpool curve, whatever the policy's date), rpm 4.18
//! (rpm's own parser, which has no ECDSA), rpm 4.20 with rpm-sequoia, dnf 4.14, zypper 1.14. The days are those of the
//! policy and of the releases whose defaults refuse SHA-1 (Enterprise Linux 9 and 10, Fedora 38). rpm reads EdDSA since
//! 4.16. Ubuntu 24.04 only warns (apt 2.7.13), so no row says that it refuses.

/// Something about a key that some client does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// The key is bound to its user ID, or the subkey to its key, by a signature over SHA-1 or MD5.
    WeakBinding,
    /// RSA with fewer than 2048 bits.
    RsaBelow2048,
    /// RSA with 2048 bits and more, but fewer than 3072.
    RsaBelow3072,
    /// DSA of any length.
    Dsa,
    /// ECDSA over any curve.
    Ecdsa,
    /// A Brainpool curve.
    Brainpool,
    /// secp256k1.
    Secp256k1,
    /// Ed25519 in the encoding that gpg makes (`EdDSALegacy`, algorithm 22).
    EddsaLegacy,
    /// Ed25519 or Ed448 in the encoding of RFC 9580 (algorithms 27 and 28).
    EddsaNew,
    /// A key of version 6 (RFC 9580).
    Version6,
    /// A key of version 3 or older.
    Version3,
    /// An algorithm that no client is known to verify.
    Unknown,
}

impl Trouble {
    /// What is the matter, as a clause.
    pub fn describe(self) -> &'static str {
        match self {
            Self::WeakBinding => "its self-signature uses SHA-1",
            Self::RsaBelow2048 => "RSA with fewer than 2048 bits",
            Self::RsaBelow3072 => "RSA with fewer than 3072 bits",
            Self::Dsa => "DSA",
            Self::Ecdsa => "ECDSA, which rpm's own parser does not read",
            Self::Brainpool => "a Brainpool curve",
            Self::Secp256k1 => "the curve secp256k1",
            Self::EddsaLegacy => "EdDSA, which rpm reads since 4.16",
            Self::EddsaNew => "Ed25519 or Ed448 in the encoding of RFC 9580 (algorithm 27 or 28)",
            Self::Version6 => "a key of version 6",
            Self::Version3 => "a key of version 3",
            Self::Unknown => "an algorithm that clients do not know",
        }
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::WeakBinding => REBIND,
            _ => NEW_KEY,
        }
    }
}

/// For keys that cannot be mended.
pub(super) const NEW_KEY: &str =
    "make a new key with `packhouse key generate`, and replace the old one with `packhouse repo rotate`";
/// For keys that can.
pub(super) const REBIND: &str = "renew the self-signature: `gpg --cert-digest-algo SHA512 --quick-set-expire FINGERPRINT 0`, then export the key again";

/// The clients of one distribution.
#[derive(Debug)]
pub(super) struct Client {
    /// The distribution.
    pub(super) distribution: &'static str,
    /// What checks signatures there.
    pub(super) tools: &'static str,
    /// Whether keys that this client alone refuses are used all the same: it is old enough.
    pub(super) outlived: bool,
    /// What it refuses, and since when (seconds since 1970-01-01 UTC, midnight).
    refuses: &'static [(Trouble, i64)],
}

/// From the beginning.
const ALWAYS: i64 = 0;
const Y2022_05_17: i64 = 1_652_745_600;
const Y2023_04_18: i64 = 1_681_776_000;
const Y2024_02_01: i64 = 1_706_745_600;
const Y2025_05_20: i64 = 1_747_699_200;
const Y2026_02_01: i64 = 1_769_904_000;
const Y2030_02_01: i64 = 1_896_134_400;

/// What gpgv 2.2 cannot read.
const GPGV: &[(Trouble, i64)] = &[
    (Trouble::EddsaNew, ALWAYS),
    (Trouble::Version6, ALWAYS),
    (Trouble::Version3, ALWAYS),
    (Trouble::Unknown, ALWAYS),
];

/// Every client that is known.
pub(super) const CLIENTS: &[Client] = &[
    Client { distribution: "Debian 11", tools: "apt 2.2, gpgv 2.2", outlived: false, refuses: GPGV },
    Client { distribution: "Debian 12", tools: "apt 2.6, gpgv 2.2", outlived: false, refuses: GPGV },
    Client { distribution: "Ubuntu 22.04", tools: "apt 2.4, gpgv 2.2", outlived: false, refuses: GPGV },
    Client {
        distribution: "Debian 13, Ubuntu 25.10",
        tools: "apt 3, sqv",
        outlived: false,
        refuses: &[
            (Trouble::WeakBinding, Y2026_02_01),
            (Trouble::RsaBelow2048, ALWAYS),
            (Trouble::RsaBelow3072, Y2030_02_01),
            (Trouble::Dsa, Y2024_02_01),
            (Trouble::Brainpool, ALWAYS),
            (Trouble::Secp256k1, ALWAYS),
            (Trouble::Version3, ALWAYS),
            (Trouble::Unknown, ALWAYS),
        ],
    },
    Client {
        distribution: "Enterprise Linux 8",
        tools: "rpm 4.14, dnf 4.7",
        outlived: true,
        refuses: &[
            (Trouble::Ecdsa, ALWAYS),
            (Trouble::EddsaLegacy, ALWAYS),
            (Trouble::EddsaNew, ALWAYS),
            (Trouble::Version6, ALWAYS),
            (Trouble::Version3, ALWAYS),
            (Trouble::Unknown, ALWAYS),
        ],
    },
    Client {
        distribution: "Enterprise Linux 9",
        tools: "rpm 4.16, crypto-policies",
        outlived: false,
        refuses: &[
            (Trouble::WeakBinding, Y2022_05_17),
            (Trouble::Ecdsa, ALWAYS),
            (Trouble::EddsaNew, ALWAYS),
            (Trouble::Version6, ALWAYS),
            (Trouble::Version3, ALWAYS),
            (Trouble::Unknown, ALWAYS),
        ],
    },
    Client {
        distribution: "Enterprise Linux 10",
        tools: "rpm 4.19 with rpm-sequoia",
        outlived: false,
        refuses: &[
            (Trouble::WeakBinding, Y2025_05_20),
            (Trouble::RsaBelow2048, ALWAYS),
            (Trouble::Version3, ALWAYS),
            (Trouble::Unknown, ALWAYS),
        ],
    },
    Client {
        distribution: "Fedora 38 and later",
        tools: "rpm with rpm-sequoia",
        outlived: false,
        refuses: &[
            (Trouble::WeakBinding, Y2023_04_18),
            (Trouble::RsaBelow2048, ALWAYS),
            (Trouble::Version3, ALWAYS),
            (Trouble::Unknown, ALWAYS),
        ],
    },
    Client {
        distribution: "openSUSE Leap 15, SLES 15",
        tools: "zypper 1.14, rpm 4.14",
        outlived: false,
        refuses: &[
            (Trouble::Ecdsa, ALWAYS),
            (Trouble::EddsaNew, ALWAYS),
            (Trouble::Version6, ALWAYS),
            (Trouble::Version3, ALWAYS),
            (Trouble::Unknown, ALWAYS),
        ],
    },
];

/// The clients that refuse this, each with the moment from which it does.
pub(super) fn refusing(trouble: Trouble) -> impl Iterator<Item = (&'static Client, i64)> {
    CLIENTS.iter().flat_map(move |client| {
        client.refuses.iter().filter(move |(refused, _)| *refused == trouble).map(move |(_, since)| (client, *since))
    })
}

/// Whether a key with this may sign at `time`: no client that counts refuses it then.
pub(super) fn is_refused(trouble: Trouble, time: i64) -> bool {
    refusing(trouble).any(|(client, since)| !client.outlived && since <= time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_in_the_table_is_the_midnight_that_its_name_says() {
        let dates = [
            (Y2022_05_17, "2022-05-17"),
            (Y2023_04_18, "2023-04-18"),
            (Y2024_02_01, "2024-02-01"),
            (Y2025_05_20, "2025-05-20"),
            (Y2026_02_01, "2026-02-01"),
            (Y2030_02_01, "2030-02-01"),
        ];
        for (seconds, date) in dates {
            let timestamp = jiff::Timestamp::from_second(seconds).unwrap();
            assert_eq!(timestamp.strftime("%F %T").to_string(), format!("{date} 00:00:00"));
        }
    }

    #[test]
    fn no_client_refuses_a_thing_twice_and_everything_that_can_be_wrong_is_refused_somewhere() {
        for client in CLIENTS {
            let mut troubles: Vec<Trouble> = client.refuses.iter().map(|(trouble, _)| *trouble).collect();
            troubles.sort();
            let count = troubles.len();
            troubles.dedup();
            assert_eq!(troubles.len(), count, "{}", client.distribution);
        }
        let all = [
            Trouble::WeakBinding,
            Trouble::RsaBelow2048,
            Trouble::RsaBelow3072,
            Trouble::Dsa,
            Trouble::Ecdsa,
            Trouble::Brainpool,
            Trouble::Secp256k1,
            Trouble::EddsaLegacy,
            Trouble::EddsaNew,
            Trouble::Version6,
            Trouble::Version3,
            Trouble::Unknown,
        ];
        assert!(all.iter().all(|trouble| refusing(*trouble).next().is_some()));
    }

    #[test]
    fn rsa_of_2048_bits_may_sign_until_apt_refuses_it() {
        assert!(!is_refused(Trouble::RsaBelow3072, Y2030_02_01 - 1));
        assert!(is_refused(Trouble::RsaBelow3072, Y2030_02_01));
        assert!(!is_refused(Trouble::EddsaLegacy, Y2030_02_01), "Enterprise Linux 8 is outlived");
    }
}
