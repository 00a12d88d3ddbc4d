<?php
// The file says what is asked for; PHP's own server does the rest.
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
if ($path === '/file') {
    $name = tempnam('/tmp', 'serve');
    file_put_contents($name, random_bytes(65536));
    echo strlen(file_get_contents($name));
    unlink($name);
} elseif ($path === '/child') {
    echo trim(shell_exec('uname -m'));
} else {
    echo 'ready';
}
