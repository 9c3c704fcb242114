using System.Net.Sockets;
using System.Text;
using Skep.Daemon.Startup;

namespace Skep.UnitTests.Daemon;

public sealed class SystemdNotifyTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ReadinessIsOneDatagram(bool isAbstract)
    {
        var name = Path.Combine(Path.GetTempPath(), $"skep-notify-{Guid.NewGuid():n}");
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(isAbstract ? '\0' + name[1..] : name));

        var sent = new SystemdNotify(isAbstract ? '@' + name[1..] : name).Ready("two\nlines");

        Assert.True(sent);
        var buffer = new byte[256];
        Assert.Equal("READY=1\nSTATUS=two lines", Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer)));
        File.Delete(name);
    }

    [Fact]
    public void NobodyListeningIsNoFailure()
    {
        Assert.False(new SystemdNotify(null).Ready("on"));
        Assert.False(new SystemdNotify("/nonexistent/socket").Stopping());
    }
}
