using System.Net;
using System.Net.Sockets;

namespace Skep.Network.Dns;

/// <summary>One sandbox's datagram socket and what answers there. Locked while it is being served.</summary>
internal sealed class DatagramService(Socket socket, NameResponder responder, Action<byte[], IPEndPoint> forward)
{
    public Socket Socket => socket;
    public NameResponder Responder => responder;
    public bool Closed { get; set; }

    public void Forward(byte[] query, IPEndPoint asker) => forward(query, asker);
}
