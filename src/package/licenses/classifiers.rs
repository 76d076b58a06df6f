//! PyPI's classifiers below `License ::` and the SPDX identifier that each stands for.
//!
//! The list is that of trove-classifiers (2025); it is closed, because PEP 639 replaced these classifiers with
//! `License-Expression`. A classifier that does not say which licence of several it means (`BSD License`, `GNU General Public
//! License (GPL)`) stands for none; the text must tell.

/// Classifiers and what they mean; `None` for those that leave it open.
const CLASSIFIERS: &[(&str, Option<&str>)] = &[
    ("Aladdin Free Public License (AFPL)", Some("Aladdin")),
    ("CC0 1.0 Universal (CC0 1.0) Public Domain Dedication", Some("CC0-1.0")),
    ("CeCILL-B Free Software License Agreement (CECILL-B)", Some("CECILL-B")),
    ("CeCILL-C Free Software License Agreement (CECILL-C)", Some("CECILL-C")),
    ("DFSG approved", None),
    ("Eiffel Forum License (EFL)", None),
    ("Free For Educational Use", None),
    ("Free For Home Use", None),
    ("Free To Use But Restricted", None),
    ("Free for non-commercial use", None),
    ("Freely Distributable", None),
    ("Freeware", None),
    ("GUST Font License 1.0", None),
    ("GUST Font License 2006-09-30", None),
    ("Netscape Public License (NPL)", None),
    ("Nokia Open Source License (NOKOS)", Some("Nokia")),
    ("OSI Approved :: Academic Free License (AFL)", None),
    // There is a version 1.1 too, which no package of PyPI's age has.
    ("OSI Approved :: Apache Software License", Some("Apache-2.0")),
    ("OSI Approved :: Apple Public Source License", None),
    ("OSI Approved :: Artistic License", None),
    ("OSI Approved :: Attribution Assurance License", Some("AAL")),
    ("OSI Approved :: BSD License", None),
    ("OSI Approved :: Blue Oak Model License (BlueOak-1.0.0)", Some("BlueOak-1.0.0")),
    ("OSI Approved :: Boost Software License 1.0 (BSL-1.0)", Some("BSL-1.0")),
    ("OSI Approved :: CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)", Some("CECILL-2.1")),
    ("OSI Approved :: CMU License (MIT-CMU)", Some("MIT-CMU")),
    ("OSI Approved :: Common Development and Distribution License 1.0 (CDDL-1.0)", Some("CDDL-1.0")),
    ("OSI Approved :: Common Public License", Some("CPL-1.0")),
    ("OSI Approved :: Eclipse Public License 1.0 (EPL-1.0)", Some("EPL-1.0")),
    ("OSI Approved :: Eclipse Public License 2.0 (EPL-2.0)", Some("EPL-2.0")),
    ("OSI Approved :: Educational Community License, Version 2.0 (ECL-2.0)", Some("ECL-2.0")),
    ("OSI Approved :: Eiffel Forum License", None),
    ("OSI Approved :: European Union Public Licence 1.0 (EUPL 1.0)", Some("EUPL-1.0")),
    ("OSI Approved :: European Union Public Licence 1.1 (EUPL 1.1)", Some("EUPL-1.1")),
    ("OSI Approved :: European Union Public Licence 1.2 (EUPL 1.2)", Some("EUPL-1.2")),
    ("OSI Approved :: GNU Affero General Public License v3", Some("AGPL-3.0-only")),
    ("OSI Approved :: GNU Affero General Public License v3 or later (AGPLv3+)", Some("AGPL-3.0-or-later")),
    ("OSI Approved :: GNU Free Documentation License (FDL)", None),
    ("OSI Approved :: GNU General Public License (GPL)", None),
    ("OSI Approved :: GNU General Public License v2 (GPLv2)", Some("GPL-2.0-only")),
    ("OSI Approved :: GNU General Public License v2 or later (GPLv2+)", Some("GPL-2.0-or-later")),
    ("OSI Approved :: GNU General Public License v3 (GPLv3)", Some("GPL-3.0-only")),
    ("OSI Approved :: GNU General Public License v3 or later (GPLv3+)", Some("GPL-3.0-or-later")),
    ("OSI Approved :: GNU Lesser General Public License v2 (LGPLv2)", Some("LGPL-2.0-only")),
    ("OSI Approved :: GNU Lesser General Public License v2 or later (LGPLv2+)", Some("LGPL-2.0-or-later")),
    ("OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", Some("LGPL-3.0-only")),
    ("OSI Approved :: GNU Lesser General Public License v3 or later (LGPLv3+)", Some("LGPL-3.0-or-later")),
    ("OSI Approved :: GNU Library or Lesser General Public License (LGPL)", None),
    ("OSI Approved :: Historical Permission Notice and Disclaimer (HPND)", Some("HPND")),
    ("OSI Approved :: IBM Public License", Some("IPL-1.0")),
    ("OSI Approved :: ISC License (ISCL)", Some("ISC")),
    ("OSI Approved :: MIT License", Some("MIT")),
    ("OSI Approved :: MIT No Attribution License (MIT-0)", Some("MIT-0")),
    ("OSI Approved :: MirOS License (MirOS)", Some("MirOS")),
    ("OSI Approved :: Motosoto License", Some("Motosoto")),
    ("OSI Approved :: Mozilla Public License 1.0 (MPL)", Some("MPL-1.0")),
    ("OSI Approved :: Mozilla Public License 1.1 (MPL 1.1)", Some("MPL-1.1")),
    ("OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", Some("MPL-2.0")),
    ("OSI Approved :: Mulan Permissive Software License v2 (MulanPSL-2.0)", Some("MulanPSL-2.0")),
    ("OSI Approved :: NASA Open Source Agreement v1.3 (NASA-1.3)", Some("NASA-1.3")),
    ("OSI Approved :: Nethack General Public License", Some("NGPL")),
    ("OSI Approved :: Nokia Open Source License", Some("Nokia")),
    ("OSI Approved :: Open Group Test Suite License", Some("OGTSL")),
    ("OSI Approved :: Open Software License 3.0 (OSL-3.0)", Some("OSL-3.0")),
    ("OSI Approved :: PostgreSQL License", Some("PostgreSQL")),
    ("OSI Approved :: Python License (CNRI Python License)", Some("CNRI-Python")),
    ("OSI Approved :: Python Software Foundation License", Some("PSF-2.0")),
    ("OSI Approved :: Qt Public License (QPL)", Some("QPL-1.0")),
    ("OSI Approved :: Ricoh Source Code Public License", Some("RSCPL")),
    ("OSI Approved :: SIL Open Font License 1.1 (OFL-1.1)", Some("OFL-1.1")),
    ("OSI Approved :: Sleepycat License", Some("Sleepycat")),
    ("OSI Approved :: Sun Public License", Some("SPL-1.0")),
    ("OSI Approved :: The Unlicense (Unlicense)", Some("Unlicense")),
    ("OSI Approved :: Universal Permissive License (UPL)", Some("UPL-1.0")),
    ("OSI Approved :: University of Illinois/NCSA Open Source License", Some("NCSA")),
    ("OSI Approved :: Vovida Software License 1.0", Some("VSL-1.0")),
    ("OSI Approved :: W3C License", Some("W3C")),
    ("OSI Approved :: Zero-Clause BSD (0BSD)", Some("0BSD")),
    ("OSI Approved :: Zope Public License", None),
    ("OSI Approved :: zlib/libpng License", Some("Zlib")),
    ("Other/Proprietary License", None),
    ("Public Domain", None),
    ("Repoze Public License", None),
];

/// The licence that a classifier (without `License :: `) means, if it means one.
pub(super) fn meaning(classifier: &str) -> Option<&'static str> {
    CLASSIFIERS.iter().find(|(name, _)| *name == classifier).and_then(|(_, spdx)| *spdx)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_classifier_stands_once_and_means_a_current_licence_of_the_list_or_nothing() {
        let mut names: Vec<&str> = CLASSIFIERS.iter().map(|(name, _)| *name).collect();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for id in CLASSIFIERS.iter().filter_map(|(_, id)| *id) {
            assert!(spdx::license_id(id).is_some_and(|known| !known.is_deprecated() && known.name == id), "{id}");
        }
    }
}
