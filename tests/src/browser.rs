use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;

use serde_json::{Value, json};

use crate::{Connection, TIMEOUT, TempDir, client, eventually};

/// The key that holds the id of an element in `WebDriver`.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A headless browser, driven over the `WebDriver` protocol.
#[derive(Debug)]
pub struct Browser {
    connection: Connection,
    address: SocketAddr,
    session: String,
    driver: Child,
    // Dropped last, because the browser writes to it.
    profile: TempDir,
}

impl Browser {
    /// Starts Chromium; `None` if it is missing (see [`client`]).
    pub fn new() -> Option<Self> {
        let (chromium, driver) = (client("chromium")?, client("chromedriver")?);
        let profile = TempDir::new("browser");
        let mut driver = Command::new(driver)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver should start");
        let stdout = driver.stdout.take().expect("it is piped");
        let (sender, port) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let port = line.split_once("successfully on port ");
                let port = port.and_then(|(_, port)| port.trim_end_matches('.').parse().ok());
                if let Some(port) = port {
                    let _ = sender.send(port);
                }
            }
        });
        let port: u16 = port.recv_timeout(TIMEOUT).expect("chromedriver should print its port");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let connection = Connection::new(address);
        let mut browser = Self { connection, address, session: String::new(), driver, profile };
        let profile = format!("--user-data-dir={}", browser.profile.path().display());
        let arguments = json!([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            profile,
        ]);
        let options = json!({ "binary": chromium, "args": arguments });
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": options,
            // Leave dialogs open for the test.
            "unhandledPromptBehavior": "ignore",
        });
        let body = json!({ "capabilities": { "alwaysMatch": capabilities } });
        let session = browser.ask("POST", "/session", &body);
        session["sessionId"]
            .as_str()
            .expect("a session has an id")
            .clone_into(&mut browser.session);
        Some(browser)
    }

    /// Opens a page.
    pub fn open(&mut self, url: &str) {
        self.command("/url", &json!({ "url": url }));
    }

    /// Runs JavaScript, and returns its result.
    pub fn script(&mut self, script: &str) -> Value {
        self.command("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// The value of a JavaScript expression, as text.
    pub fn text(&mut self, expression: &str) -> String {
        let value = self.script(&format!("return String({expression})"));
        value.as_str().expect("it is text").to_owned()
    }

    /// Waits until a JavaScript expression is true.
    pub fn wait_until(&mut self, expression: &str) {
        eventually(expression, || self.script(&format!("return !!({expression})")) == true);
    }

    /// Types into the element that a CSS selector finds; for a file input, `text` is a path.
    pub fn type_into(&mut self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.command(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    /// Clicks on the element that a CSS selector finds.
    pub fn click(&mut self, selector: &str) {
        let element = self.find(selector);
        self.command(&format!("/element/{element}/click"), &json!({}));
    }

    /// Accepts a dialog, and returns its text.
    pub fn accept(&mut self) -> String {
        let path = format!("/session/{}/alert/text", self.session);
        let text = self.ask("GET", &path, &Value::Null);
        self.command("/alert/accept", &json!({}));
        text.as_str().expect("a dialog has a text").to_owned()
    }

    /// Sets the size and the color scheme of the page.
    pub fn set_screen(&mut self, width: u32, height: u32, is_dark: bool) {
        let screen = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", &screen);
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// Saves a screenshot of the page.
    pub fn screenshot(&mut self, path: &Path) {
        let result = self.devtools("Page.captureScreenshot", &json!({ "format": "png" }));
        let picture = result["data"].as_str().expect("a picture").to_owned();
        std::fs::write(path, base64(&picture)).expect("the picture can be written");
    }

    fn devtools(&mut self, command: &str, parameters: &Value) -> Value {
        self.command("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    fn find(&mut self, selector: &str) -> String {
        let found =
            self.command("/element", &json!({ "using": "css selector", "value": selector }));
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    fn command(&mut self, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}{path}", self.session);
        self.ask("POST", &path, body)
    }

    fn ask(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let len = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len}\r\n\r\n");
        let answer = self.connection.ask(format!("{head}{body}"));
        let mut json = answer.json();
        assert_eq!(answer.status, 200, "{method} {path} {body}: {json}");
        json["value"].take()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Use a new connection to shut the driver down together with its browsers, because a failed
        // test may have left a part of an answer on the other one.
        if let Ok(mut connection) = TcpStream::connect(self.address) {
            let _ = connection.set_read_timeout(Some(TIMEOUT));
            let _ = connection.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let _ = connection.read(&mut [0]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn base64(text: &str) -> Vec<u8> {
    let value = |digit: u8| match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<_> = text.trim_end_matches('=').bytes().map(value).collect();
    let groups = digits.chunks(4).flat_map(|group| {
        let bits = group.iter().fold(0_u32, |bits, digit| bits << 6 | u32::from(*digit));
        let bits = bits << (6 * (4 - group.len()));
        bits.to_be_bytes().into_iter().skip(1).take(group.len() - 1)
    });
    groups.collect()
}
