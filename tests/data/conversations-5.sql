BEGIN;
CREATE TABLE sessions (
            number INTEGER PRIMARY KEY,
            session_id TEXT NOT NULL UNIQUE,
            business_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            status TEXT NOT NULL,
            seq INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            due_at INTEGER,
            head BLOB NOT NULL
        );
CREATE INDEX sessions_of_customer ON sessions (business_id, user_id);
CREATE UNIQUE INDEX open_session ON sessions (business_id, user_id)
            WHERE status <> 'closed';
CREATE INDEX sessions_by_recency ON sessions (status, updated_at);
CREATE INDEX sessions_of_business ON sessions (business_id, status, updated_at);
CREATE INDEX sessions_due ON sessions (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE entries (
            session_id TEXT NOT NULL,
            seq INTEGER NOT NULL,
            kind INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (session_id, seq)
        );
CREATE TABLE keys (
            number INTEGER PRIMARY KEY,
            business_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            key TEXT NOT NULL,
            session_id TEXT NOT NULL,
            seq INTEGER NOT NULL,
            status TEXT NOT NULL,
            at INTEGER NOT NULL,
            UNIQUE (business_id, user_id, key)
        );
CREATE TABLE outbox (
            notice_id TEXT NOT NULL PRIMARY KEY,
            session_id TEXT NOT NULL,
            position INTEGER NOT NULL,
            due_at INTEGER NOT NULL,
            ready_at INTEGER,
            attempts INTEGER NOT NULL DEFAULT 0,
            dead TEXT,
            body BLOB NOT NULL
        , lane TEXT NOT NULL DEFAULT 'people');
CREATE TABLE usage (
            business_id TEXT NOT NULL,
            day TEXT NOT NULL,
            input_tokens INTEGER NOT NULL,
            cached_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL,
            calls INTEGER NOT NULL,
            PRIMARY KEY (business_id, day)
        ) WITHOUT ROWID;
CREATE INDEX notices_of_session ON outbox (session_id, lane, position);
CREATE INDEX notices_ready ON outbox (lane, ready_at) WHERE ready_at IS NOT NULL;
INSERT INTO sessions VALUES (1, '57070000000000000000000000000001', 'hotel:2', 'vera', 'closed', 5, 1795162260000, NULL, CAST('{"session_id":"57070000000000000000000000000001","customer":["hotel:2","vera"],"location_id":null,"opened_at":"2026-11-20T08:10:00Z","updated_at":"2026-11-20T08:11:00Z","status":"closed","reason":"closed_by_coordinator","epoch":1,"seq":5,"asked":1,"answered":1,"changed_at":"2026-11-20T08:11:00Z","tokens":60,"rating":{"seq":5,"at":"2026-11-20T08:12:00Z","stars":{"rating":4,"comment":"Good"},"said_seq":4}}' AS BLOB));
INSERT INTO sessions VALUES (2, '57070000000000000000000000000009', 'casa-1', 'mara', 'ai', 4, 1795165202000, 1795251602000, CAST('{"session_id":"57070000000000000000000000000009","customer":["casa-1","mara"],"location_id":null,"opened_at":"2026-11-20T09:00:00Z","updated_at":"2026-11-20T09:00:02Z","seq":4,"asked":1,"answered":1,"tokens":36,"language":"ro","rating":{"seq":4,"at":"2026-11-20T09:01:20Z","stars":{"rating":5,"comment":"Rapid și amabil."},"said_seq":2}}' AS BLOB));
INSERT INTO entries VALUES ('57070000000000000000000000000001', 1, 0, CAST('{"seq":1,"message_id":"w-1","author":"user","text":"Is there a sauna?","at":"2026-11-20T08:10:00Z"}' AS BLOB));
INSERT INTO entries VALUES ('57070000000000000000000000000001', 2, 0, CAST('{"seq":2,"message_id":"57070000000000000000000000000003","author":"ai","text":"Yes, in the cellar.","at":"2026-11-20T08:10:02Z","in_reply_to":["w-1"],"answers":1}' AS BLOB));
INSERT INTO entries VALUES ('57070000000000000000000000000001', 3, 0, CAST('{"seq":3,"message_id":"57070000000000000000000000000005","author":"system","text":"[closed]","at":"2026-11-20T08:11:00Z"}' AS BLOB));
INSERT INTO entries VALUES ('57070000000000000000000000000001', 4, 1, CAST('{"seq":4,"status":"closed","epoch":1,"reason":"closed_by_coordinator","at":"2026-11-20T08:11:00Z"}' AS BLOB));
INSERT INTO entries VALUES ('57070000000000000000000000000001', 5, 0, CAST('{"seq":5,"message_id":"57070000000000000000000000000007","author":"user","text":"★★★★☆ Good","at":"2026-11-20T08:12:00Z","actions":[{"type":"rating","rating":4,"comment":"Good"}],"audience":"customer+coordinator"}' AS BLOB));
INSERT INTO entries VALUES ('57070000000000000000000000000009', 1, 0, CAST('{"seq":1,"message_id":"m-1","author":"user","text":"Aveți terasă?","at":"2026-11-20T09:00:00Z","language":"ro"}' AS BLOB));
INSERT INTO entries VALUES ('57070000000000000000000000000009', 2, 0, CAST('{"seq":2,"message_id":"5707000000000000000000000000000b","author":"ai","text":"Da, până la ora 23.","at":"2026-11-20T09:00:02Z","in_reply_to":["m-1"],"answers":1}' AS BLOB));
INSERT INTO entries VALUES ('57070000000000000000000000000009', 3, 0, CAST('{"seq":3,"message_id":"5707000000000000000000000000000d","author":"user","text":"★★☆☆☆","at":"2026-11-20T09:01:00Z","actions":[{"type":"rating","rating":2}],"audience":"customer+coordinator"}' AS BLOB));
INSERT INTO entries VALUES ('57070000000000000000000000000009', 4, 0, CAST('{"seq":4,"message_id":"5707000000000000000000000000000f","author":"user","text":"★★★★★ Rapid și amabil.","at":"2026-11-20T09:01:20Z","actions":[{"type":"rating","rating":5,"comment":"Rapid și amabil."}],"audience":"customer+coordinator"}' AS BLOB));
INSERT INTO keys VALUES (1, 'casa-1', 'mara', 'u:m-1', '57070000000000000000000000000009', 1, 'ai', 1795165200000);
INSERT INTO outbox VALUES ('57070000000000000000000000000006', '57070000000000000000000000000001', 40, 1795162260000, 1795162260000, 0, NULL, CAST('{"notice_id":"57070000000000000000000000000006","session_id":"57070000000000000000000000000001","customer":["hotel:2","vera"],"position":40,"content":{"kind":"status","at":"2026-11-20T08:11:00Z","status":"closed"},"due_at":"2026-11-20T08:11:00Z","attempts":0}' AS BLOB), 'people');
INSERT INTO outbox VALUES ('57070000000000000000000000000008', '57070000000000000000000000000001', 50, 1795162320000, 1795168980000, 1, NULL, CAST('{"notice_id":"57070000000000000000000000000008","session_id":"57070000000000000000000000000001","customer":["hotel:2","vera"],"position":50,"content":{"kind":"rating","at":"2026-11-20T08:12:00Z","stars":{"rating":4,"comment":"Good"}},"due_at":"2026-11-20T08:12:00Z","attempts":0}' AS BLOB), 'reports');
INSERT INTO outbox VALUES ('5707000000000000000000000000000a', '57070000000000000000000000000009', 10, 1795165200000, NULL, 1, 'HTTP 422', CAST('{"notice_id":"5707000000000000000000000000000a","session_id":"57070000000000000000000000000009","customer":["casa-1","mara"],"position":10,"content":{"kind":"conversation","at":"2026-11-20T09:00:00Z","text":"Aveți terasă?"},"due_at":"2026-11-20T09:00:00Z","attempts":0}' AS BLOB), 'reports');
INSERT INTO outbox VALUES ('5707000000000000000000000000000c', '57070000000000000000000000000009', 20, 1795165202000, 1795165202000, 0, NULL, CAST('{"notice_id":"5707000000000000000000000000000c","session_id":"57070000000000000000000000000009","customer":["casa-1","mara"],"position":20,"content":{"kind":"context","at":"2026-11-20T09:00:02Z","text":"Da, până la ora 23.","question":"Aveți terasă?"},"due_at":"2026-11-20T09:00:02Z","attempts":0}' AS BLOB), 'reports');
INSERT INTO outbox VALUES ('5707000000000000000000000000000e', '57070000000000000000000000000009', 30, 1795165260000, NULL, 0, NULL, CAST('{"notice_id":"5707000000000000000000000000000e","session_id":"57070000000000000000000000000009","customer":["casa-1","mara"],"position":30,"content":{"kind":"rating","at":"2026-11-20T09:01:00Z","stars":{"rating":2}},"due_at":"2026-11-20T09:01:00Z","attempts":0}' AS BLOB), 'reports');
INSERT INTO outbox VALUES ('57070000000000000000000000000010', '57070000000000000000000000000009', 40, 1795165280000, NULL, 0, NULL, CAST('{"notice_id":"57070000000000000000000000000010","session_id":"57070000000000000000000000000009","customer":["casa-1","mara"],"position":40,"content":{"kind":"rating","at":"2026-11-20T09:01:20Z","stars":{"rating":5,"comment":"Rapid și amabil."}},"due_at":"2026-11-20T09:01:20Z","attempts":0}' AS BLOB), 'reports');
INSERT INTO usage VALUES ('casa-1', '2026-11-20', 40, 0, 0, 1);
INSERT INTO usage VALUES ('hotel:2', '2026-11-20', 40, 0, 0, 1);
PRAGMA user_version = 3;
COMMIT;
