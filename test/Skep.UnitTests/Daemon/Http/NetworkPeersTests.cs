using System.Text.Json;
using Skep.Daemon.Http.Networks;
using Skep.EngineApi.Networks;
using Skep.Network;

namespace Skep.UnitTests.Daemon.Http;

public sealed class NetworkPeersTests
{
    private static readonly NetworkInspect s_network = new("secret", "net1", DateTimeOffset.UnixEpoch, "swarm", "overlay")
    {
        Options = new Dictionary<string, string> { ["encrypted"] = "" },
        Peers = [new PeerInfo("node1", "192.0.2.1"), new PeerInfo("node2", "192.0.2.2")],
    };

    [Fact]
    public void Peers_of_an_encrypted_network_have_the_age_of_the_key_and_the_bytes()
    {
        var way = new EncryptedNetwork("net1", "secret", DateTimeOffset.UnixEpoch, 1) { Peers = [new EncryptedPeer("node2", "192.0.2.2", "0x80000001") { SentBytes = 5, ReceivedBytes = 7, Refused = 1 }] };
        var shown = LocalNetworks.WithEncryption(s_network, () => [way]);

        Assert.Equal(
            """[{"Name":"node1","IP":"192.0.2.1"},{"Name":"node2","IP":"192.0.2.2","Encryption":{"KeyMadeAt":"1970-01-01T00:00:00Z","Keys":1,"SPI":"0x80000001","SentBytes":5,"ReceivedBytes":7,"Refused":1}}]""",
            JsonSerializer.SerializeToElement(shown, NetworkJson.Default.NetworkInspect).GetProperty("Peers").GetRawText());
    }

    [Fact]
    public void The_kernel_is_not_asked_for_a_network_in_the_clear()
    {
        var clear = s_network with { Options = new Dictionary<string, string>() };

        Assert.Same(clear, LocalNetworks.WithEncryption(clear, () => throw new InvalidOperationException()));
    }
}
