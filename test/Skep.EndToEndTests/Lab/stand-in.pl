# Stands in for the daemon where only the lab is under test: answers every request on the docker socket with 'OK'. Perl, since
# Debian's base system has it.
use strict;
use IO::Socket::UNIX;
my $path = '/run/docker.sock';
unlink $path;
my $server = IO::Socket::UNIX->new(Local => $path, Listen => 5) or die "cannot listen: $!";
print STDERR "listening\n";
while (my $client = $server->accept) {
    sysread $client, my $request, 4096;
    print $client "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK";
    close $client;
}
