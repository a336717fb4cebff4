"""The words of each language that say nothing about what a text is about.

Function words only: articles, pronouns, prepositions, auxiliaries and question words. They
are folded where they are used, so points, width and case do not matter here. A language that
is not here keeps all its words; BM25 gives frequent ones little weight anyway.
"""

# ruff: noqa: RUF001 (words of other scripts look like misspelt Latin ones)

STOP_WORDS = {
    "en": """a about above after again ain all also am an and any are as at be because been before
        being below between both but by can could couldn d did didn do does doesn doing don done
        down during each few for from further had has have having he her here hers herself him
        himself his how i if in into is it its itself just ll m me more most my myself no nor not
        now of off on once only or other our ours ourselves out over own re s same shall she should
        so some such t than that the their theirs them themselves then there these they this those
        through to too under until up upon us ve very was we were what when where whether which
        while who whom whose why will with would you your yours yourself""",
    "de": """aber alle allem allen aller alles als also am an ander andere anderem anderen auch auf
        aus bei beim bin bis bist da damit dann das dass dein deine dem den denn der des dessen
        dich die dies diese diesem diesen dieser dieses dir doch dort du durch ein eine einem
        einen einer eines er es etwas euch euer für gegen hab habe haben hat hatte hatten hier hin
        hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder
        jedes jene jener kann kein keine keinem keinen keiner können man manche mein meine mich mir
        mit muss nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner
        seit sich sie sind so solche soll sondern sonst über um und uns unser unter viel vom von
        vor war waren warum was weil welche welchem welchen welcher welches wenn wer werde werden
        wie wieder will wir wird wo wurde wurden zu zum zur zwar zwischen""",
    "fr": """à ai ainsi alors as au aucun aussi autre autres aux avait avec avez avoir avons c car
        ce ceci cela celle celui ces cet cette ceux chez comme comment d dans de des donc dont du
        elle elles en encore entre es est et étaient était étant été être eu eux fait il ils j je
        jusqu l la là le les leur leurs lors lui m ma mais me même mes moi mon n ne ni nos notre
        nous on ont ou où par parce pas peut plus pour pourquoi qu quand que quel quelle quelles
        quels qui quoi s sa sans se sera ses si soi son sont sous sur t ta te tes toi ton tous tout
        toute toutes très tu un une vers vos votre vous y""",
    "es": """a al algo algunos ante antes aquel aquella así aunque cada como con contra cual cuál
        cuáles cuando cuándo de del desde donde dónde dos e el él ella ellas ellos en entre era
        eran es esa esas ese eso esos esta está están estar estas este esto estos fue fueron ha
        había han has hasta hay la las le les lo los más me mi mis mucho muy nada ni no nos
        nosotros nuestra nuestro o os otra otro otros para pero poco por porque qué que quien quién
        se sea ser si sí sido sin sobre son su sus también tan tanto te tiene tienen todo todos tu
        tus un una uno unos y ya yo""",
    "it": """a ad agli ai al alla alle allo anche avere c che chi ci ciò come con contro cosa cui d
        da dagli dai dal dalla dalle dei degli del della delle dello dentro di dopo dove e è ed era
        erano essere fra già gli ha hai hanno ho i il in io l la le lei li lo loro ma me mi mia mio
        molto ne negli nei nel nella nelle nello no noi non nostro o ogni per perché però più poi
        prima qual quale quali quando quanto quella quelle quelli quello questa queste questi
        questo qui se sei sempre senza si sia sono sopra sotto sta stata stato su sua sugli sui
        sul sulla sulle sullo suo suoi tra tu tutti tutto un una uno v vi voi""",
    "pt": """a à ao aos aquela aquele aquilo as às até com como da das de dela dele deles depois
        do dos e é ela elas ele eles em entre era eram essa esse esta está estão este eu foi foram
        há isso isto já lhe mais mas me mesmo meu minha muito na não nas nem no nos nós nossa nosso
        num numa o onde os ou para pela pelas pelo pelos por porque porquê qual quais quando quem
        que quê se sem ser será seu seus só sua suas também te tem têm ter tinha toda todo todos tu
        um uma umas uns você vocês""",
    "nl": """aan al alles als altijd andere ben bij daar dan dat de der deze die dit doch doen door
        dus een en er ge geen geweest haar had heb hebben heeft hem het hier hij hoe hun iemand iets
        ik in is ja je jullie kan kon kunnen maar me meer men met mij mijn moet na naar niet niets
        nog nu of om omdat onder ons onze ook op over reeds te tegen toch toen tot u uit uw van
        veel voor want waren was wat we wel welk welke werd wezen wie wij wil worden wordt zal ze
        zelf zich zij zijn zo zonder zou""",
    "sv": """alla allt än är att av blev bli blir de dem den denna deras dess dessa det detta dig
        din dina ditt du där då efter ej eller en er era ett från för ha hade han hans har henne
        hennes hon honom hur här i icke ingen inom inte jag ju kan kunde man med mellan men mig min
        mina mitt mot mycket ni nu när någon något några och om oss på så sedan sig sin sina sitt
        skulle som till under upp ut utan vad var vara varför varit vars vem vi vid vilka vilken
        vilket vår våra åt över""",
    "da": """af alle alt anden at blev blive bliver da de dem den denne der deres det dette dig din
        disse dog du efter eller en end er et for fordi fra ham han hans har havde have hende hendes
        her hos hun hvad hvem hvilken hvilket hvis hvor hvordan hvorfor i ikke ind jeg jer jo kan
        kunne man mange med meget men mig min mine mit mod ned noget nogle nu når og også om op os
        over på selv sig sin sine sit skal skulle som sådan til ud under var vi vil ville vor være
        været""",
    "no": """alle at av ble bli blir da de deg dem den denne der deres det dette di din disse du
        eller en enn er et etter for fordi fra ha hadde han hans har henne hennes her hun hva hvem
        hver hvilken hvis hvor hvordan hvorfor i ikke ingen inn jeg kan kom kunne man mange med
        meg men mer min mot mye ned noe noen når og også om opp oss over på seg selv sin sitt skal
        skulle slik som så til ut uten var ved vi vil ville vår være vært å""",
    "fi": """ei eivät eli että en hän häneen hänen ja jo jos joka jotka kanssa koska kuin kuinka kun
        me mikä miksi missä mitä mutta mukaan myös ne niiden niin niitä nyt oli olivat olla ole
        olen on ovat se sen siellä siinä sitä tai te tuo tämä tämän vaan vai vain voi""",
    "ru": """а без более был была были было быть в вам вас весь во вот все всего всех вы где да даже
        для до его ее ей ему если есть ещё еще же за здесь и из или им их к как какая какие какой
        когда кто ли либо мне может мы на над надо не него нее нет ни них но ну о об однако он она
        они оно от очень по под после при с со так также такой там те тем то того тоже той только
        том ты у уже хотя чего чей чем что чтобы чьё эта эти это этого этой этом этот я""",
    "pl": """a aby ale albo być był była było były bo by ci co czy czyli dla do gdy gdzie go i ich
        ile im inne iż ja jak jaka jaki jakie jako je jego jej jest jeszcze jeśli już kiedy kto
        która które który których lub ma mi mnie może na nad nas nie nich niego nim o od on ona one
        oni oraz po pod przed przez przy są się sobie ta tak także tam te tego tej ten to tu twój
        ty tych tylko tym w we więc wszystko z za ze że""",
    "tr": """ama ancak bazı ben bir biri birçok biz bu bunu bunun çok çünkü da daha de değil diye en
        gibi göre hem hep her hiç için ile ise kadar ki kim mi mı mu mü nasıl ne neden nerede
        niye o olan olarak oldu olduğu on onlar onun sen siz sonra şey şu tüm var ve veya ya yani
        yok""",
    "ar": """في من على إلى الى عن مع أن ان إن أو او و ثم لا ما لم لن هل قد كان كانت يكون تكون هو
        هي هم هن أنا نحن أنت هذا هذه ذلك تلك التي الذي الذين اللذان حيث كما بين بعد قبل عند عندما
        حتى كل بعض غير أي أين متى كيف لماذا ماذا كم منذ فوق تحت خلال حول لدى عليه عليها فيه فيها
        به بها له لها منه منها إذا اذا لكن بل إلا الا أيضا هنا هناك ليس ليست""",
    "fa": """از به با در بر برای تا که را و یا اما ولی اگر نیز هم هر این آن اینها آنها او ما شما
        من تو ایشان است بود شد شده می نمی ها های ای تر ترین کرد کرده کردن شود باشد بودند هستند
        نیست چه چرا چگونه چند کجا کی کدام آیا یک بی پس پیش روی زیر بین همه دیگر خود""",
    "cs": """a aby aj ale ani asi až bez by byl byla byli bylo být co což či do ho i já jak jaká
        jaké jako je jeho její jejich jen ještě již jsem jsi jsme jsou jste k kam kde kdo kdy
        když která které který kteří ku ma mě mezi mi mít mně můj může my na nad nám nás ne nebo
        nebyl než nic o od on ona oni ono pak po pod podle pokud pro proč proto protože před při
        s se si sice svůj ta tak také takže tam tato te tedy ten tento to toho tohoto tom tomto
        tu tuto ty tyto u už v ve však vy z za ze že""",
    "sk": """a aby aj ak ako ale alebo ani asi až bez bol bola boli bolo by byť čo či do ho i ich
        ja jeho jej je k kam kde kto ktorá ktoré ktorý kedy keď ma medzi mi my na nad nie než o
        od on ona oni ono po pod podľa pre prečo pred preto pretože pri s sa si som sú ta tak
        také takže tam ten tento to tu už v vo však vy z za zo že""",
    "hu": """a az és de ha hogy nem is csak meg már még mint mert vagy van volt voltak lesz lenne
        lett ez ezt ezek azt azok egy egyik amely amelyek ami aki akik ahol amikor ki mi milyen
        mennyi hány miért mikor hol hova hogyan itt ott én te ő ti ők be fel le át el után alatt
        előtt között felett mellett által szerint minden más sem se igen nagyon így úgy majd
        pedig tehát""",
    "ro": """a al ale ai am ar are aș au ca care cât câte ce cea cei cel cele celor când cine cu
        cum da dar de deci decât despre din după e ea ei el ele era este eu fi fie fost iar îi îl
        în la le lor lui mai mea mei meu mi ne nici noi nu o ori pe pentru prin sa sau să se spre
        sub sunt sus și te tot toți toate tu un una unde unei unele unui unor unul va vă vor vom
        voi""",
    "el": """ο η το οι τα του της των τον την και κι να με σε από για που πως ότι αν δεν δε μη
        μην θα είναι ήταν είχε έχει έχουν στο στη στην στον στα στις στους τους τις τι ποιος ποια
        ποιο ποιοι πού πότε πώς γιατί πόσο αυτό αυτός αυτή αυτοί αυτά αυτές εκείνο εκείνος εγώ
        εσύ εμείς εσείς μου σου μας σας όπως όταν όπου αλλά ή είτε ούτε ένα ένας μια μία πριν
        μετά κατά προς χωρίς μέχρι ως σαν πολύ πιο""",
    "uk": """а але б без би був була були було бути в вам вас весь ви вже від він вона вони воно
        все всі де для до є ж з за зі і із й його її їм їх коли куди лише мене ми може на над нам
        нас не ні ніж ну о об один однак оце ось по під після при про протягом саме свій себе та
        так також там те ти тим то тоді того той тому тут у це цей ця ці цього цьому чи чим чого
        чому що щоб як яка яке який які якщо я""",
    "bg": """а ако без беше би бил била били било в вас ви все всички във го да дали до е за защо
        и из или им има как каква какво като когато кога коя които който която къде към ли ме
        между ми му на над най не него нея ни ние но някои о от отново по под при през с са само
        се след сме със така също те тези ти то това този тя тях у ще я""",
    "hr": """a ali ako bez bi bila bile bili bilo bio biti da dakle do dok ga gdje i ih ili im iz
        ja je jer jesam jesmo jesu još kad kada kako kao koja koje koji kojih koliko kome li me
        među mi mnogo može na nad nakon nas ne nego nešto ni nije nisu o od oko on ona oni ono po
        pod prema pri prije s sa sam samo se što su sve svi ta tada tako te ti to toga u uz vam
        vas već vi više za zašto zbog""",
    "sr": """а али ако без би била биле били било био бити да дакле до док га где и их или им из
        ја је јер још кад када како као која које који којих колико ли ме међу ми много може на
        над након не него ни није нису о од око он она они оно по под према при пре с са сам само
        се што су све сви та тада тако те ти то у уз вас већ ви више за зашто због a ali ako bez
        bi bila bili bilo bio biti da do dok ga gde i ih ili im iz ja je jer još kad kada kako
        kao koja koje koji koliko li me među mi na nad ne nego ni nije o od on ona oni ono po pod
        pre prema pri s sa sam samo se što su sve svi ta tako te ti to u uz već vi više za zašto
        zbog""",
    "sl": """a ali ampak bi bil bila bili bilo biti bo da do ga in iz ja jaz je jih jim k kaj
        kako kam kar kateri katera katero kdaj kdo ki kje ko koliko kot le med mi na nad naj ne
        nekaj ni niso o ob od on ona oni ono pa po pod pred pri s sem se si smo so še ta tako te
        ti to tudi v vendar vi vse z za zakaj zelo že""",
    "hi": """का की के को में से पर ने और या तथा एवं कि है हैं था थे थी हो होता होती होते हुआ हुई
        हुए कर करना करने किया किए गया गई गए यह ये वह वे इस इन उस उन इसे उसे मैं हम तुम आप मेरा
        हमारा अपने अपना अपनी जो जिस जिन क्या कौन कब कहाँ कैसे क्यों कितना कितने कितनी किस तो भी
        ही नहीं न मत लिए साथ बाद पहले तक एक बहुत सकता सकते सकती रहा रहे रही""",
    "id": """ada adalah akan aku anda apa apakah atas atau bagaimana bagi bahwa banyak beberapa
        belum berapa bisa boleh bukan dalam dan dapat dari dengan di dia hal hanya harus hingga
        ia ini itu juga jika kami kamu kapan karena ke kepada ketika kita lagi lain lebih maka
        mana masih mengapa mereka namun oleh pada para pernah saat saja sangat saya sebagai
        sebuah sehingga sejak seperti serta setelah siapa sudah supaya tanpa telah tentang
        tersebut tetapi tidak untuk yang""",
    "ca": """a al als amb aquell aquella aquest aquesta aquests això així aixó com cada d de del
        dels des després e el ella ells els em en encara entre era eren es és està estan et fins
        ha han havia hi ho i jo l la les li lo los m més meu molt n ni no nosaltres o on per
        perquè però poc quan quant quin quina quins què qui que s se sense ser seu seva si sí
        sobre són t també tan te tot tota tots tu un una uns va van vosaltres""",
    "he": """של על את עם אל מן לא כן גם רק או אם כי אבל אך הוא היא הם הן אני אנחנו אתה אתם זה זאת
        זו אלה אלו היה הייתה היו יהיה להיות יש אין כל מה מי מתי איפה היכן איך כיצד למה מדוע כמה
        איזה אשר כאשר בין לפני אחרי תחת מעל עד עוד כבר יותר מאוד כמו לו לה להם שלו שלה שלהם אותו
        אותה אותם בו בה כך שם פה""",
    "vi": """và của là có được cho các những một này đó khi ở trong với từ để không đã sẽ đang
        cũng như vì thì mà hay hoặc nếu nhưng về theo đến bởi tại sao gì nào đâu ai bao nhiêu thế
        rất nên ra vào lên xuống tôi chúng ta anh chị nó họ""",
    "et": """aga ei et ja jah kas kes kui kuidas kus kuhu kust miks mis millal ma me mina meie mu
        mulle mul nad need neid nende nii ning nüüd oli olid olla on oma ole pole ka seda see
        selle sellest siin siis ta te teie temale tema tal või väga üks üle alla enne pärast
        juures vahel läbi kuni ise kõik mitu""",
    "lt": """aš ar arba bei bet be buvo būti būtų čia dar dėl del iki ir iš į jau jei jis ji jie
        jo jos jų juos ką kad kada kai kaip kas kiek kodėl koks kokia kur kuri kuris kurie ne nei
        nes nors nuo o pagal pas per po prie prieš su tada tai taip tarp tas tik to tu už visi
        yra""",
    "lv": """ar arī bet bez bija bijis būt caur cik es gan ir ja jau kad kas kā kāds kāda kāpēc
        kur kurš kura kuri līdz man mēs ne nebija no nav par pār pēc pie pirms savs savu starp
        šis šī šo tad tas tā tāpēc tie to tu un uz vai var vēl viņa viņš viņi visi zem""",
    "eu": """eta edo baina ere ez bai da dira zen ziren du dute zuen zuten izan izango den diren
        zein zer nor non noiz nola zergatik zenbat hau hori hura hauek horiek haiek bat batean
        oso ni zu gu beste guztiak gabe arte""",
    "ga": """a ach ag agus an ar as atá ba bhí cé céard cén conas chun de den do don é go i iad
        idir in is le leis mar mé mo na nach ná ní nó ó ón os roimh sa san sé seo sí sin sinn sna
        tá tar thar trí tú um cathain cad cá""",
    "hy": """և ու կամ բայց որ որը որոնք է են էր էին եմ ես դու նա մենք դուք նրանք այս այդ այն ինչ
        ով երբ որտեղ ինչպես ինչու քանի համար հետ մեջ վրա տակ մասին ից ոչ էլ նաև շատ իր նրա""",
}  # fmt: skip
