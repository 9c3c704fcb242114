using System.Runtime.InteropServices;
using static Skep.Kernel.Netlink.Headers.NetlinkHeader;

namespace Skep.Kernel.Netlink;

/// <summary>Reads struct nlmsgerr of linux/netlink.h, and the same words at the end of a dump.</summary>
internal static class NetlinkAnswer
{
    /// <summary>0 for success, else the positive error number, with the extended acknowledgement's text.</summary>
    public static (int Errno, string? Explanation) Outcome(NetlinkMessage answer)
    {
        var payload = answer.Payload;
        if (payload.Length < sizeof(int))
        {
            return (0, null);
        }

        var errno = -MemoryMarshal.Read<int>(payload);
        if (errno == 0 || (answer.Flags & NLM_F_ACK_TLVS) == 0)
        {
            return (errno, null);
        }

        var text = new AttributeReader(payload[Math.Min(WordsStart(answer), payload.Length)..]).Find(NLMSGERR_ATTR_MSG).Text;
        return (errno, text.Length == 0 ? null : text);
    }

    // The words stand behind the error number and, in an error, behind the request: its header alone if it was capped.
    private static int WordsStart(NetlinkMessage answer)
    {
        if (answer.Type == NLMSG_DONE)
        {
            return sizeof(int);
        }

        var request = answer.Payload[sizeof(int)..];
        var capped = (answer.Flags & NLM_F_CAPPED) != 0 || request.Length < NetlinkWriter.MessageHeaderSize;
        return sizeof(int) + (capped ? NetlinkWriter.MessageHeaderSize : ((int)MemoryMarshal.Read<uint>(request) + 3) & ~3);
    }
}
