using System.Net.Sockets;
using System.Text;

namespace Skep.Daemon.Startup;

/// <summary>
/// Tells the service manager how the daemon is doing (sd_notify(3)): one datagram per message to the socket in <c>NOTIFY_SOCKET</c>.
/// Without that variable every call does nothing, so callers need not know how the daemon was started.
/// </summary>
public sealed class SystemdNotify
{
    public const string Variable = "NOTIFY_SOCKET";

    private readonly string? _socket;

    /// <param name="socket">A path, or <c>@name</c> in the abstract namespace (unix(7)); null or empty: nobody listens.</param>
    public SystemdNotify(string? socket) => _socket = string.IsNullOrEmpty(socket) ? null : socket;

    public static SystemdNotify FromEnvironment() => new(Environment.GetEnvironmentVariable(Variable));

    /// <summary>The Engine API answers.</summary>
    public bool Ready(string status) => Send($"READY=1\nSTATUS={OneLine(status)}");

    public bool Status(string status) => Send($"STATUS={OneLine(status)}");

    /// <summary>An orderly stop has begun.</summary>
    public bool Stopping() => Send("STOPPING=1");

    /// <summary>False when nobody listens. A manager that went away is no reason for the daemon to fail.</summary>
    private bool Send(string message)
    {
        if (_socket is null)
        {
            return false;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);

            // .NET takes a leading zero byte for the abstract namespace; systemd writes it as '@'.
            var name = _socket[0] == '@' ? '\0' + _socket[1..] : _socket;
            socket.SendTo(Encoding.UTF8.GetBytes(message), new UnixDomainSocketEndPoint(name));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    // A line break would begin another assignment.
    private static string OneLine(string text) => text.ReplaceLineEndings(" ");
}
