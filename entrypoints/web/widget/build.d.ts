// The build puts in the path of the panel, from where the server is.

declare const PANEL_PATH: string;
