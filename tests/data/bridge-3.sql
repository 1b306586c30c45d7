BEGIN;
CREATE TABLE answers (
        key TEXT NOT NULL UNIQUE,
        at INTEGER NOT NULL,
        body BLOB NOT NULL
    );
INSERT INTO answers VALUES ('k-s-ana-1-1',1795896003000,CAST('{"status":"ok"}' AS BLOB));
INSERT INTO answers VALUES ('k-s-ana-1-2',1795896006000,CAST('{"status":"ok"}' AS BLOB));
INSERT INTO answers VALUES ('k-s-dan-1',1795896015000,CAST('{"status":"ok"}' AS BLOB));
INSERT INTO answers VALUES ('k-s-elena-1',1795896021000,CAST('{"status":"ok"}' AS BLOB));
INSERT INTO answers VALUES ('k-s-ana-2-1',1795896024000,CAST('{"status":"ok"}' AS BLOB));
CREATE TABLE chats (
        number INTEGER PRIMARY KEY,
        session_id TEXT NOT NULL UNIQUE,
        business_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        waiting_since INTEGER,
        wish_at INTEGER,
        body BLOB NOT NULL
    , missed_at INTEGER, asked_at INTEGER);
INSERT INTO chats VALUES (1,'s-ana-1','bistro-1','ana',NULL,NULL,CAST('{"session_id":"s-ana-1","customer":["bistro-1","ana"],"since":"2026-11-28T20:00:10.500000Z","location_id":"loc-1","status":"closed","coordinator_id":null,"waiting_since":null,"transfer_id":null,"reason":null,"context":null,"summary":null,"told_at":"2026-11-28T20:00:10.500000Z","wishes":[],"missed":null,"attended_until":null,"confirmation":null,"rating":{"stars":{"rating":4,"comment":"Bine"},"at":"2026-11-28T20:00:07.500000Z"}}' AS BLOB),NULL,NULL);
INSERT INTO chats VALUES (2,'s-dan','bistro-1','dan@example.com',NULL,NULL,CAST('{"session_id":"s-dan","customer":["bistro-1","dan@example.com"],"since":"2026-11-28T20:00:13.500000Z","location_id":"loc-1","status":"ai","coordinator_id":null,"waiting_since":null,"transfer_id":null,"reason":null,"context":null,"summary":null,"told_at":null,"wishes":[],"missed":null,"attended_until":null,"confirmation":{"confirm_id":"s-dan-3","by":"coordinator","state":"proposed","what":"O masă pentru doi","at":"2026-11-28T20:00:16.500000Z","expires_at":"2026-11-28T21:00:00Z","result":"","coordinator_id":null},"rating":null}' AS BLOB),NULL,1795896016500);
INSERT INTO chats VALUES (3,'s-elena','hotel-2','elena',NULL,NULL,CAST('{"session_id":"s-elena","customer":["hotel-2","elena"],"since":"2026-11-28T20:00:19.500000Z","location_id":"loc-1","status":"ai","coordinator_id":null,"waiting_since":null,"transfer_id":null,"reason":null,"context":null,"summary":null,"told_at":null,"wishes":[],"missed":{"text":"Sunați-mă.","reason":"outside_hours","context":{"language":"ro"},"at":"2026-11-28T20:00:37.500000Z"},"attended_until":null,"confirmation":null,"rating":null}' AS BLOB),1795896037500,NULL);
INSERT INTO chats VALUES (4,'s-ana-2','bistro-1','ana',1795896025500,1795896030000,CAST('{"session_id":"s-ana-2","customer":["bistro-1","ana"],"since":"2026-11-28T20:00:30Z","location_id":"loc-1","status":"live","coordinator_id":"Ștefan Pop","waiting_since":"2026-11-28T20:00:25.500000Z","transfer_id":"t-ana-2","reason":"user_request","context":{"summary":"O alergie.","language":"ro"},"summary":null,"told_at":"2026-11-28T20:00:25.500000Z","wishes":[{"wish_id":"id-1","status":"live","at":"2026-11-28T20:00:30Z","coordinator_id":"Ștefan Pop","summary":null,"answer":null}],"missed":null,"attended_until":null,"confirmation":null,"rating":null}' AS BLOB),NULL,NULL);
CREATE TABLE waits (
        number INTEGER PRIMARY KEY,
        business_id TEXT NOT NULL,
        wait_ms INTEGER NOT NULL
    );
INSERT INTO waits VALUES (1,'bistro-1',4500);
CREATE TABLE words (
        number INTEGER PRIMARY KEY,
        place TEXT NOT NULL,
        message_id TEXT NOT NULL,
        body BLOB NOT NULL,
        UNIQUE (place, message_id)
    );
INSERT INTO words VALUES (1,'session:s-ana-1','user:1',CAST('{"message_id":"user:1","author":"user","text":"Bună \"seara\"! 🍷 Aveți o masă în grădină?","at":"2026-11-28T20:00:01.500000Z","session_id":null,"coordinator_id":null,"origin":null}' AS BLOB));
INSERT INTO words VALUES (2,'session:s-ana-1','ai:2',CAST('{"message_id":"ai:2","author":"ai","text":"Da, pentru câți?","at":"2026-11-28T20:00:04.500000Z","session_id":null,"coordinator_id":null,"origin":null}' AS BLOB));
INSERT INTO words VALUES (3,'session:s-dan','user:1',CAST('{"message_id":"user:1","author":"user","text":"Pot muta rezervarea?","at":"2026-11-28T20:00:13.500000Z","session_id":null,"coordinator_id":null,"origin":null}' AS BLOB));
INSERT INTO words VALUES (4,'session:s-elena','user:1',CAST('{"message_id":"user:1","author":"user","text":"Aveți grădină?","at":"2026-11-28T20:00:19.500000Z","session_id":null,"coordinator_id":null,"origin":null}' AS BLOB));
INSERT INTO words VALUES (5,'session:s-ana-2','user:1',CAST('{"message_id":"user:1","author":"user","text":"Am o alergie, pot vorbi cu cineva?","at":"2026-11-28T20:00:22.500000Z","session_id":null,"coordinator_id":null,"origin":null}' AS BLOB));
INSERT INTO words VALUES (6,'chat:bistro-1:ana','m-1',CAST('{"message_id":"m-1","author":"coordinator","text":"Bună ziua, la ce sunteți alergică?","at":"2026-11-28T20:00:33Z","session_id":"s-ana-2","coordinator_id":"Ștefan Pop","origin":null}' AS BLOB));
INSERT INTO words VALUES (7,'chat:bistro-1:ana','m-2',CAST('{"message_id":"m-2","author":"user","text":"La arahide.","at":"2026-11-28T20:00:36Z","session_id":"s-ana-2","coordinator_id":null,"origin":null}' AS BLOB));
CREATE INDEX chats_of_customer ON chats (business_id, user_id, number);
CREATE INDEX open_chats ON chats (business_id, waiting_since)
        WHERE waiting_since IS NOT NULL;
CREATE INDEX wishing_chats ON chats (wish_at) WHERE wish_at IS NOT NULL;
CREATE INDEX words_of_place ON words (place, number);
CREATE INDEX answers_by_age ON answers (at);
CREATE INDEX missed_chats ON chats (business_id, missed_at)
        WHERE missed_at IS NOT NULL;
CREATE INDEX waits_of_business ON waits (business_id, number);
CREATE INDEX asked_chats ON chats (business_id, asked_at)
        WHERE asked_at IS NOT NULL;
PRAGMA user_version = 3;
COMMIT;
