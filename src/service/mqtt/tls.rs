//! TLS to the broker: whom we trust, who we are, and what the broker must be called.
//!
//! Files are read once, when the settings are; rustls verifies, with ring's cryptography. The client library verifies
//! for the address it connects to; a name of its own ([`TlsFiles::server_name`]) is verified by a wrapper here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rumqttc::TlsConfiguration;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

/// Where the system keeps whom it trusts, on the distributions there are.
const SYSTEM_STORES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/cert.pem",
];

/// What TLS is made from; all of it PEM.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsFiles {
    /// Certificates of the authorities that may vouch for the broker; the system's where there is none.
    pub authorities: Option<PathBuf>,
    /// Our certificate and those that vouch for it, where the broker wants one.
    pub certificate: Option<PathBuf>,
    /// Its private key.
    pub key: Option<PathBuf>,
    /// What the broker's certificate is issued for, where that is not the address we connect to.
    pub server_name: Option<String>,
}

/// Which of the files cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The authorities.
    #[error("{0}")]
    Authorities(String),
    /// Our certificate.
    #[error("{0}")]
    Certificate(String),
    /// Our private key; never what is in it.
    #[error("{0}")]
    Key(String),
    /// The broker's name.
    #[error("{0}")]
    ServerName(String),
}

/// TLS, ready to be used.
#[derive(Clone)]
pub struct Tls {
    files: TlsFiles,
    client: Arc<ClientConfig>,
}

impl Tls {
    /// Reads and checks the files.
    ///
    /// # Errors
    /// If one cannot be read, does not hold what it should, or certificate and key do not go together.
    pub fn load(files: TlsFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let authorities = authorities(files.authorities.as_deref())?;
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(authorities), provider.clone())
                .build()
                .map_err(|error| TlsError::Authorities(error.to_string()))?;
        let verifier: Arc<dyn ServerCertVerifier> = match &files.server_name {
            None => verifier,
            Some(name) => Arc::new(UnderName {
                name: server_name(name)?,
                verifier,
            }),
        };
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Authorities(error.to_string()))?
            .dangerous() // Only so that a verifier can be named: it is rustls' own.
            .with_custom_certificate_verifier(verifier);
        let client = match (&files.certificate, &files.key) {
            (None, None) => client.with_no_client_auth(),
            (Some(certificate), Some(key)) => client
                .with_client_auth_cert(own_certificate(certificate)?, own_key(key)?)
                .map_err(|error| {
                    let (key, certificate) = (key.display(), certificate.display());
                    TlsError::Key(format!("{key} does not go with {certificate}: {error}"))
                })?,
            (Some(file), None) => {
                let file = file.display();
                return Err(TlsError::Key(format!("is not set, and {file} needs one")));
            }
            (None, Some(file)) => {
                let problem = format!("is not set, and the key {} needs one", file.display());
                return Err(TlsError::Certificate(problem));
            }
        };
        Ok(Self {
            files,
            client: Arc::new(client),
        })
    }

    /// As the client library takes it.
    pub(super) fn configuration(&self) -> TlsConfiguration {
        TlsConfiguration::Rustls(self.client.clone())
    }
}

/// Without the library's configuration, which holds the private key.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tls").field(&self.files).finish()
    }
}

/// Made from the same files.
impl PartialEq for Tls {
    fn eq(&self, other: &Self) -> bool {
        self.files == other.files
    }
}

impl Eq for Tls {}

fn authorities(file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let system = || SYSTEM_STORES.iter().map(Path::new).find(|p| p.is_file());
    let Some(file) = file.or_else(system) else {
        let problem = format!(
            "is not set, and this system has none of {}; name the file of the authority that issued the \
             broker's certificate",
            SYSTEM_STORES.join(", ")
        );
        return Err(TlsError::Authorities(problem));
    };
    let certificates = certificates(file).map_err(TlsError::Authorities)?;
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(certificates);
    if added == 0 {
        let problem = format!("no certificate in {} can be used", file.display());
        return Err(TlsError::Authorities(problem));
    }
    Ok(store)
}

fn own_certificate(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    certificates(file).map_err(TlsError::Certificate)
}

/// The certificates in `file`, at least one.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = file.display();
    let pem = std::fs::read(file).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let certificates = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("{shown} is not PEM: {error}"))?;
    if certificates.is_empty() {
        return Err(format!(
            "{shown} holds no certificate; PEM begins with -----BEGIN CERTIFICATE-----"
        ));
    }
    Ok(certificates)
}

fn own_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let shown = file.display();
    let pem = std::fs::read(file)
        .map_err(|error| TlsError::Key(format!("cannot read {shown}: {error}")))?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
        TlsError::Key(format!(
            "{shown} holds no private key that can be used; it is PEM, and not encrypted"
        ))
    })
}

fn server_name(name: &str) -> Result<ServerName<'static>, TlsError> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        TlsError::ServerName(format!("\"{name}\" is neither a host name nor an address"))
    })
}

/// Verifies the broker's certificate for a name of its own instead of the address.
#[derive(Debug)]
struct UnderName {
    name: ServerName<'static>,
    verifier: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for UnderName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _address: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let name = &self.name;
        self.verifier
            .verify_server_cert(end_entity, intermediates, name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_file_and_what_is_wrong_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            Some(path)
        };
        let absent = Some(directory.path().join("absent"));
        let empty = file("empty", "no PEM in here\n");
        let cases = [
            (absent.clone(), None, "cannot read"),
            (empty.clone(), None, "holds no certificate"),
            (
                file(
                    "bad",
                    "-----BEGIN CERTIFICATE-----\n&\n-----END CERTIFICATE-----\n",
                ),
                None,
                "is not PEM",
            ),
            (
                file(
                    "odd",
                    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                ),
                None,
                "can be used",
            ),
        ];
        for (authorities, certificate, expected) in cases {
            let files = TlsFiles {
                authorities,
                certificate,
                ..TlsFiles::default()
            };
            let error = Tls::load(files).unwrap_err();
            assert!(matches!(error, TlsError::Authorities(_)), "{error:?}");
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn a_name_that_is_none_is_refused() {
        assert!(server_name("broker.lan").is_ok());
        assert!(server_name("10.0.0.1").is_ok());
        let error = server_name("a b").unwrap_err().to_string();
        assert_eq!(error, "\"a b\" is neither a host name nor an address");
    }

    #[test]
    fn an_encrypted_key_is_refused_without_being_shown() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        let pem = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n";
        std::fs::write(&path, pem).unwrap();
        let error = own_key(&path).unwrap_err().to_string();
        assert!(error.ends_with("it is PEM, and not encrypted"), "{error}");
        assert!(!error.contains("c2Vj"), "{error}");
    }
}
