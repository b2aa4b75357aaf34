//! Cinder's REST API, spoken by hand: one request on one connection, and what came back as it came.
//!
//! Clients hide what an API test is about (a header, a status, a member that should not be there), so there is none here. Blocking,
//! for tests; an answer that does not come fails after [`PATIENCE`].

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long an answer, or a status that is waited for, may take.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Who asks, where, and by which microversion.
#[derive(Debug, Clone)]
pub struct Rest {
    address: String,
    token: Option<String>,
    version: Option<String>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, their names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// What the fault says.
    pub fn message(&self) -> String {
        let body = self.json();
        let fault = body.as_object().and_then(|body| body.values().next());
        let message = fault.and_then(|fault| fault["message"].as_str());
        message.unwrap_or_default().to_owned()
    }

    /// It must have this status.
    ///
    /// # Panics
    /// When it has another.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }
}

impl Rest {
    /// A user of a project, without a microversion (which is 3.0).
    pub fn new(port: u16, user: &str, project: &str) -> Self {
        Rest {
            address: format!("127.0.0.1:{port}"),
            token: Some(format!("{user}:{project}")),
            version: None,
        }
    }

    /// The same by a microversion: `3.43`.
    #[must_use]
    pub fn at(&self, version: &str) -> Self {
        Rest {
            version: Some(format!("volume {version}")),
            ..self.clone()
        }
    }

    /// The same with this as the header of the microversion.
    #[must_use]
    pub fn with_version_header(&self, header: &str) -> Self {
        Rest {
            version: Some(header.to_owned()),
            ..self.clone()
        }
    }

    /// The same with another token, or none.
    #[must_use]
    pub fn with_token(&self, token: Option<&str>) -> Self {
        Rest {
            token: token.map(str::to_owned),
            ..self.clone()
        }
    }

    /// The project that the token names.
    pub fn project(&self) -> &str {
        let token = self.token.as_deref().unwrap_or_default();
        token.split_once(':').map_or("", |(_, project)| project)
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The head of a request, up to the empty line that ends it.
    pub fn head(&self, method: &str, path: &str, more: &str) -> String {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n{more}", self.address);
        if let Some(token) = &self.token {
            head += &format!("x-auth-token: {token}\r\n");
        }
        if let Some(version) = &self.version {
            head += &format!("openstack-api-version: {version}\r\n");
        }
        head + "\r\n"
    }

    /// Sends a request and reads its answer; an error when the connection breaks first.
    ///
    /// # Errors
    /// What the connection says.
    pub fn try_call(&self, method: &str, path: &str, body: Option<&Value>) -> std::io::Result<Answer> {
        let mut stream = self.connect()?;
        let text = body.map(Value::to_string).unwrap_or_default();
        let mut more = "connection: close\r\n".to_owned();
        if body.is_some() {
            more += &format!(
                "content-type: application/json\r\ncontent-length: {}\r\n",
                text.len()
            );
        }
        stream.write_all((self.head(method, path, &more) + &text).as_bytes())?;
        read_answer(&mut BufReader::new(stream), method)
    }

    /// A connection.
    ///
    /// # Errors
    /// What the connection says.
    pub fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// The same for a service that is there.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.try_call(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// GET.
    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None)
    }

    /// POST.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, Some(body))
    }

    /// PUT.
    pub fn put(&self, path: &str, body: &Value) -> Answer {
        self.call("PUT", path, Some(body))
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, None)
    }

    /// Waits until the one thing at this path (`/v3/volumes/…`) has this status, and gives it.
    ///
    /// # Panics
    /// When it gets into an error instead, or takes too long.
    pub fn wait_for(&self, path: &str, status: &str) -> Value {
        let begin = Instant::now();
        loop {
            let answer = self.get(path).expect(200).json();
            let thing = answer
                .as_object()
                .and_then(|answer| answer.values().next())
                .cloned()
                .unwrap_or_default();
            let now = thing["status"].as_str().unwrap_or_default();
            if now == status {
                return thing;
            }
            let lost = now.starts_with("error") || begin.elapsed() > PATIENCE;
            assert!(!lost, "{path} should be {status}: {thing:#}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until there is nothing at this path any more.
    ///
    /// # Panics
    /// When it takes too long.
    pub fn wait_for_gone(&self, path: &str) {
        let begin = Instant::now();
        while self.get(path).status != 404 {
            assert!(begin.elapsed() < PATIENCE, "{path} should be gone");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Reads one answer to a request of that method.
///
/// # Errors
/// When the connection breaks before its end, or it is no HTTP.
pub fn read_answer(reader: &mut impl BufRead, method: &str) -> std::io::Result<Answer> {
    let bad = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if line.is_empty() {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    let status = line.split(' ').nth(1).and_then(|word| word.trim().parse().ok());
    let status = status.ok_or_else(|| bad(&line))?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| bad(line))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
    };
    if method == "HEAD" || status == 204 || status == 304 {
        return Ok(answer);
    }
    let length = answer.header("content-length").and_then(|text| text.parse().ok());
    if let Some(length) = length {
        answer.body = vec![0; length];
        reader.read_exact(&mut answer.body)?;
    } else if answer.header("transfer-encoding").is_some() {
        read_chunks(reader, &mut answer.body)?;
    } else {
        reader.read_to_end(&mut answer.body)?;
    }
    Ok(answer)
}

fn read_chunks(reader: &mut impl BufRead, body: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16)
            .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error))?;
        let mut chunk = vec![0; size];
        reader.read_exact(&mut chunk)?;
        body.extend(chunk);
        reader.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(());
        }
    }
}
